//! `Compound`: writes the elements of an array, or the members of an object.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer as _,
};
use serde_json::Error;

use super::Writer;
use crate::json::write_text;

/// An open array or object.
pub(in crate::json) struct Compound<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// How many arrays and objects are open, this one included.
    depth: u8,
    /// Nothing is in it so far.
    empty: bool,
    close: Close,
}

/// What ends it.
#[derive(Clone, Copy)]
pub(super) enum Close {
    Array,
    Object,
    /// An object that its first key opens.
    Map,
    /// An array that is the content of a variant.
    ArrayInObject,
    /// An object that is the content of a variant.
    ObjectInObject,
    /// Nothing: its one field is JSON already, in a struct that `serde_json` knows by this name.
    Itself(&'static str),
}

impl<'a> Compound<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, depth: u8, close: Close) -> Self {
        Self {
            out,
            depth,
            empty: true,
            close,
        }
    }

    /// A writer for what stands in it.
    #[inline]
    fn inner(&mut self) -> Writer<'_> {
        Writer {
            out: self.out,
            depth: self.depth,
        }
    }

    #[inline]
    fn separate(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(self.inner())
    }

    #[inline]
    pub(super) fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if let Close::Itself(of) = self.close {
            return self.itself(of, name, value);
        }
        self.separate();
        write_text(name, self.out);
        self.out.push(b':');
        value.serialize(self.inner())
    }

    #[cold]
    fn itself<T: Serialize + ?Sized>(
        &mut self,
        of: &'static str,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut theirs = serde_json::Serializer::new(&mut *self.out);
        let mut written = theirs.serialize_struct(of, 1)?;
        SerializeStruct::serialize_field(&mut written, name, value)?;
        SerializeStruct::end(written)
    }

    /// The key of a map: a text, or what `serde_json` writes as one. It writes the brace before the
    /// key, which the others have a comma for.
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let begin = self.out.len();
        let mut theirs = serde_json::Serializer::new(&mut *self.out);
        theirs.serialize_map(None)?.serialize_key(key)?;
        if !std::mem::replace(&mut self.empty, false)
            && let Some(brace) = self.out.get_mut(begin)
        {
            *brace = b',';
        }
        Ok(())
    }

    #[inline]
    pub(super) fn close(self) {
        let end: &[u8] = match self.close {
            Close::Array => b"]",
            Close::Map if self.empty => b"{}",
            Close::Map | Close::Object => b"}",
            Close::ArrayInObject => b"]}",
            Close::ObjectInObject => b"}}",
            Close::Itself(_) => b"",
        };
        self.out.extend_from_slice(end);
    }
}

macro_rules! elements {
    ($($trait:ident: $method:ident),* $(,)?) => {$(
        impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! fields {
    ($($trait:ident),* $(,)?) => {$(
        impl $trait for Compound<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.out.push(b':');
        value.serialize(self.inner())
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}
