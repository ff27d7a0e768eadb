//! A document as serde reads it: values without their places, none of them copied before it is needed.

use super::document::{Content, Node};
use serde::de::value::{
    Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer,
};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

impl<'de> IntoDeserializer<'de, Error> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.content {
            Content::Table(entries) => visitor.visit_map(MapDeserializer::new(entries.iter())),
            Content::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            Content::Text(text) => visitor.visit_borrowed_str(text),
            Content::Integer(number) => match (i64::try_from(**number), u64::try_from(**number)) {
                (Ok(number), _) if number < 0 => visitor.visit_i64(number),
                (_, Ok(number)) => visitor.visit_u64(number),
                _ => visitor.visit_unit(),
            },
            Content::Float(number) if number.is_finite() => visitor.visit_f64(*number),
            Content::Switch(switch) => visitor.visit_bool(*switch),
            Content::Float(_) | Content::Time => visitor.visit_unit(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_plain() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.content {
            // Of two variants at once none can be meant.
            Content::Table(entries) if entries.iter().count() == 1 => {
                let table = MapAccessDeserializer::new(MapDeserializer::new(entries.iter()));
                table.deserialize_enum(name, variants, visitor)
            }
            Content::Text(text) => {
                let text: StrDeserializer<'_, Error> = (**text).into_deserializer();
                text.deserialize_enum(name, variants, visitor)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
