//! Image transfer (18): new firmware in blocks.

use super::{AsData as _, Octets};
use crate::Data;
use crate::data::BitString;

enumeration! {
    /// Where a transfer stands.
    ImageStatus {
        /// Nothing begun.
        NotInitiated = 0,
        /// Blocks may come.
        Initiated = 1,
        /// Being checked.
        VerificationInitiated = 2,
        /// Checked, and right.
        VerificationSuccessful = 3,
        /// Checked, and wrong.
        VerificationFailed = 4,
        /// Being activated.
        ActivationInitiated = 5,
        /// Running.
        ActivationSuccessful = 6,
        /// Did not start.
        ActivationFailed = 7,
    }
}

structure! {
    /// An image that can be activated.
    ImageInfo {
        /// Its length in bytes.
        size: u32,
        /// Its name.
        identification: Octets,
        /// Its signature.
        signature: Octets,
    }
}

class! {
    /// New firmware in blocks. Methods: 1 initiate, 2 block, 3 verify, 4 activate.
    ImageTransfer = 18 version 0 {
        /// Bytes in a block.
        2 block_size: u32,
        /// A bit for each block, set once it came.
        3 transferred_blocks: BitString,
        /// The first that did not.
        4 first_not_transferred: u32,
        /// Whether transfers are allowed.
        5 enabled: bool,
        /// Where it stands.
        6 status: ImageStatus,
        /// What can be activated.
        7 to_activate: Vec<ImageInfo>,
    }
}

structure! {
    /// Parameters of method 1.
    ImageInitiate {
        /// The image's name.
        identification: Octets,
        /// Its length in bytes.
        size: u32,
    }
}

structure! {
    /// Parameters of method 2.
    ImageBlock {
        /// Number of the block, from 0.
        number: u32,
        /// Its bytes; all but the last are of `block_size`.
        value: Octets,
    }
}

/// The parameters of method 2 for every block of an image.
pub fn image_blocks(image: &[u8], block_size: u32) -> impl Iterator<Item = Data> + '_ {
    let size = usize::try_from(block_size).unwrap_or(usize::MAX).max(1);
    (0_u32..)
        .zip(image.chunks(size))
        .map(|(number, bytes)| ImageBlock { number, value: Octets(bytes.to_vec()) }.to_data())
}
