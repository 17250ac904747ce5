//! `Slab`: values under keys with generations; a removed value's place is used again.

/// Values by [`Key`].
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Place<T>>,
    free: Vec<usize>,
}

/// Finds one value, and no other that took its place later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    index: usize,
    generation: u64,
}

#[derive(Debug)]
struct Place<T> {
    generation: u64,
    value: Option<T>,
}

impl Key {
    /// The place, which no other value has while this one lives.
    pub(super) fn index(self) -> usize {
        self.index
    }
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// No value has this place or one behind it.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        self.insert_with(|_| value)
    }

    /// Inserts a value that is made for its place.
    pub(super) fn insert_with(&mut self, make: impl FnOnce(usize) -> T) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                generation: 0,
                value: None,
            });
            self.places.len() - 1
        });
        let place = &mut self.places[index];
        place.value = Some(make(index));
        Key {
            index,
            generation: place.generation,
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.index)?;
        (place.generation == key.generation)
            .then_some(place.value.as_ref())
            .flatten()
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.places.get_mut(key.index)?;
        (place.generation == key.generation)
            .then_some(place.value.as_mut())
            .flatten()
    }

    /// What stands at this place now.
    pub(super) fn at(&self, index: usize) -> Option<&T> {
        self.places.get(index)?.value.as_ref()
    }

    /// What stands at this place now.
    pub(super) fn at_mut(&mut self, index: usize) -> Option<&mut T> {
        self.places.get_mut(index)?.value.as_mut()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.remove_at(key.index)
    }

    /// Takes away what stands at this place now.
    pub(super) fn remove_at(&mut self, index: usize) -> Option<T> {
        let place = self.places.get_mut(index)?;
        let value = place.value.take()?;
        place.generation += 1;
        self.free.push(index);
        Some(value)
    }

    /// Takes away all of which this is true.
    pub(super) fn take_those(&mut self, which: impl Fn(&T) -> bool) -> Vec<T> {
        let those = self.iter().filter(|(_, value)| which(value));
        let places: Vec<usize> = those.map(|(place, _)| place).collect();
        let taken = places.into_iter().filter_map(|place| self.remove_at(place));
        taken.collect()
    }

    /// The keys of all of which this is true.
    pub(super) fn keys_of(&self, which: impl Fn(&T) -> bool) -> Vec<Key> {
        let places = self.places.iter().enumerate();
        let those = places.filter(|(_, place)| place.value.as_ref().is_some_and(&which));
        let keys = those.map(|(index, place)| Key {
            index,
            generation: place.generation,
        });
        keys.collect()
    }

    /// The values with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(index, place)| Some((index, place.value.as_ref()?)))
    }

    /// The values.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.places.iter().filter_map(|place| place.value.as_ref())
    }

    /// The values.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places
            .iter_mut()
            .filter_map(|place| place.value.as_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn a_key_does_not_find_what_took_its_place() {
        let mut slab = Slab::new();
        let first = slab.insert("first");
        assert_eq!(slab.remove(first), Some("first"));
        let second = slab.insert("second");
        assert_eq!(first.index(), second.index());
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get(second), Some(&"second"));
        assert_eq!(slab.len(), 1);
    }
}
