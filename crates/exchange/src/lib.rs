//! Other people's formats for readings, to and from our words: streaming, in bounded memory; opens no file.
