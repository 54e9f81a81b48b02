//! The newest few of something that is numbered, in place, without a heap.

use core::ops::Deref;

/// At most `N` items, ascending by their number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Few<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self { items: [T::default(); N], len: 0 }
    }
}

impl<T: core::fmt::Debug, const N: usize> core::fmt::Debug for Few<T, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(&self.items[..self.len]).finish()
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.len]
    }
}

impl<T: Copy + Default, const N: usize> Few<T, N> {
    /// Becomes the first `len` of what `item` gives, which must ascend; as many as there is room for.
    pub(super) fn fill(&mut self, len: usize, item: impl Fn(usize) -> T) {
        let before = core::mem::replace(&mut self.len, len.min(N));
        for (at, place) in self.items[..self.len].iter_mut().enumerate() {
            *place = item(at);
        }
        // Equal contents are equal whatever was there before.
        if let Some(left) = self.items.get_mut(self.len..before) {
            left.fill(T::default());
        }
    }

    /// Adds one that is newer than all; false if there is no room.
    pub(super) fn push(&mut self, item: T) -> bool {
        let fits = self.len < N;
        if fits {
            self.items[self.len] = item;
            self.len += 1;
        }
        fits
    }

    /// Where `number` is, or would be; the newest is looked at first.
    fn find(&self, number: i32, of: impl Fn(&T) -> i32) -> Result<usize, usize> {
        match self.last() {
            Some(last) if of(last) == number => Ok(self.len - 1),
            Some(last) if of(last) < number => Err(self.len),
            _ => self.binary_search_by_key(&number, of),
        }
    }

    pub(super) fn get(&self, number: i32, of: impl Fn(&T) -> i32) -> Option<T> {
        self.find(number, of).ok().and_then(|at| self.items.get(at)).copied()
    }

    /// Puts an item in its place and returns what had its number. The oldest gives way when all places are taken; one
    /// older than all of a full house does not enter.
    pub(super) fn put(&mut self, item: T, of: impl Fn(&T) -> i32 + Copy) -> Option<T> {
        match self.find(of(&item), of) {
            Ok(at) => Some(core::mem::replace(&mut self.items[at], item)),
            Err(at) if self.len < N => {
                self.items.copy_within(at..self.len, at + 1);
                self.items[at] = item;
                self.len += 1;
                None
            }
            Err(0) => None,
            Err(at) => {
                self.items.copy_within(1..at, 0);
                self.items[at - 1] = item;
                None
            }
        }
    }

    /// Takes an item out.
    pub(super) fn remove(&mut self, number: i32, of: impl Fn(&T) -> i32) {
        if let Ok(at) = self.find(number, of) {
            self.items.copy_within(at + 1..self.len, at);
            self.len -= 1;
            // Equal contents are equal whatever was there before.
            self.items[self.len] = T::default();
        }
    }
}
