//! Reading a request: JSON types first, then the constraints of the API's model; the rules of the service come after.
//!
//! Members that the model does not know are ignored, as AWS ignores them; null is the same as absent.

use std::collections::BTreeMap;

use fakecloud_core::service::AwsServiceError;
use serde_json::{Map, Value};

use super::errors::{bad_request, constraint, serialization};

/// A closed set of texts in a request, such as `REQUIRE` and `OPTIONAL`.
pub(super) trait Choice: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];
    /// The text on the wire.
    fn text(self) -> &'static str;
    /// The one with this text.
    fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|choice| choice.text() == text)
    }
}

/// Declares an enum whose variants have texts on the wire.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $crate::ses::input::Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}
pub(super) use choices;

/// One JSON object of a request, and where it is.
#[derive(Clone)]
pub(super) struct Input<'a> {
    members: Option<&'a Map<String, Value>>,
    path: String,
}

type Checked<T> = Result<T, AwsServiceError>;

impl<'a> Input<'a> {
    /// The body of a request; an empty one is an object without members.
    pub(super) fn body(value: &'a Value) -> Checked<Self> {
        match value {
            Value::Object(members) => Ok(Self { members: Some(members), path: String::new() }),
            Value::Null => Ok(Self { members: None, path: String::new() }),
            _ => Err(serialization("Expected the request to be a JSON object")),
        }
    }

    fn at(&self, name: &str) -> String {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let member: String = first.into_iter().chain(letters).collect();
        if self.path.is_empty() { member } else { format!("{}.{member}", self.path) }
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn missing(&self, name: &str) -> AwsServiceError {
        constraint("null", &self.at(name), "Member must not be null")
    }

    pub(super) fn text(&self, name: &str) -> Checked<Option<&'a str>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong_type(&self.at(name), "a string", value))
    }

    pub(super) fn required_text(&self, name: &str) -> Checked<&'a str> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn flag(&self, name: &str) -> Checked<Option<bool>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| wrong_type(&self.at(name), "a boolean", value))
    }

    pub(super) fn integer(&self, name: &str) -> Checked<Option<i64>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| wrong_type(&self.at(name), "an integer", value))
    }

    pub(super) fn object(&self, name: &str) -> Checked<Option<Input<'a>>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let members =
            value.as_object().ok_or_else(|| wrong_type(&self.at(name), "an object", value))?;
        Ok(Some(Input { members: Some(members), path: self.at(name) }))
    }

    fn list(&self, name: &str) -> Checked<Option<&'a Vec<Value>>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_array().map(Some).ok_or_else(|| wrong_type(&self.at(name), "a list", value))
    }

    pub(super) fn objects(&self, name: &str) -> Checked<Option<Vec<Input<'a>>>> {
        let Some(values) = self.list(name)? else { return Ok(None) };
        let objects = values.iter().enumerate().map(|(index, value)| {
            let path = format!("{}.{}.member", self.at(name), index + 1);
            let members = value.as_object().ok_or_else(|| wrong_type(&path, "an object", value))?;
            Ok(Input { members: Some(members), path })
        });
        objects.collect::<Checked<Vec<_>>>().map(Some)
    }

    pub(super) fn texts(&self, name: &str) -> Checked<Option<Vec<&'a str>>> {
        let Some(values) = self.list(name)? else { return Ok(None) };
        let texts = values.iter().map(|value| {
            value.as_str().ok_or_else(|| wrong_type(&self.at(name), "a list of strings", value))
        });
        texts.collect::<Checked<Vec<_>>>().map(Some)
    }

    /// The members of an object whose values are texts.
    pub(super) fn text_map(&self, name: &str) -> Checked<BTreeMap<&'a str, &'a str>> {
        let Some(object) = self.object(name)? else { return Ok(BTreeMap::new()) };
        let members = object.members.into_iter().flatten().filter(|(_, value)| !value.is_null());
        let pairs = members.map(|(key, value)| {
            let text =
                value.as_str().ok_or_else(|| wrong_type(&object.at(key), "a string", value))?;
            Ok((key.as_str(), text))
        });
        pairs.collect()
    }

    pub(super) fn choice<C: Choice>(&self, name: &str) -> Checked<Option<C>> {
        self.text(name)?.map(|text| chosen(text, &self.at(name))).transpose()
    }

    pub(super) fn required_choice<C: Choice>(&self, name: &str) -> Checked<C> {
        self.choice(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn choices<C: Choice>(&self, name: &str) -> Checked<Option<Vec<C>>> {
        let Some(texts) = self.texts(name)? else { return Ok(None) };
        texts.into_iter().map(|text| chosen(text, &self.at(name))).collect::<Checked<_>>().map(Some)
    }

    /// A text whose length in characters the model bounds.
    pub(super) fn bounded_text(
        &self,
        name: &str,
        shortest: usize,
        longest: usize,
    ) -> Checked<Option<&'a str>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let length = text.chars().count();
        if length < shortest {
            let rule = format!("Member must have length greater than or equal to {shortest}");
            return Err(constraint(&quoted(text), &self.at(name), &rule));
        }
        if length > longest {
            let rule = format!("Member must have length less than or equal to {longest}");
            return Err(constraint(&quoted(text), &self.at(name), &rule));
        }
        Ok(Some(text))
    }

    pub(super) fn required_bounded(
        &self,
        name: &str,
        shortest: usize,
        longest: usize,
    ) -> Checked<&'a str> {
        self.bounded_text(name, shortest, longest)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn required_object(&self, name: &str) -> Checked<Input<'a>> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    pub(super) fn required_objects(&self, name: &str) -> Checked<Vec<Input<'a>>> {
        self.objects(name)?.ok_or_else(|| self.missing(name))
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

fn chosen<C: Choice>(text: &str, at: &str) -> Checked<C> {
    C::of(text).ok_or_else(|| {
        let all: Vec<&str> = C::ALL.iter().map(|choice| choice.text()).collect();
        let rule = format!("Member must satisfy enum value set: [{}]", all.join(", "));
        constraint(&quoted(text), at, &rule)
    })
}

fn wrong_type(at: &str, expected: &str, value: &Value) -> AwsServiceError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    serialization(format!("Expected {at} to be {expected}, found {found}"))
}

/// A name of 1 to 64 letters, digits, `-` and `_`: sets, destinations, policies, pools, tenants, lists, topics.
pub(super) fn simple_name(what: &str, name: &str) -> Checked<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || name.chars().count() > 64 || !name.chars().all(allowed) {
        return Err(bad_request(format!(
            "Invalid {what} <{name}>: only alphanumeric ASCII characters, '_', and '-' are allowed, up to 64 of them."
        )));
    }
    Ok(())
}
