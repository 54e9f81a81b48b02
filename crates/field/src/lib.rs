//! The field network as a discrete-event model.
