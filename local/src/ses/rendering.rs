//! Putting data into a template: `{{name}}` and `{{{name}}}`, with dots for what is nested.
//!
//! Blocks of the template language (`{{#each}}` and the like) are left as they stand: this cloud renders to find missing
//! data, not to lay out mail.

use serde_json::Value;

/// A template that cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RenderingError {
    #[error("Attribute '{0}' is not present in the rendering data.")]
    Missing(String),
    #[error("A tag is not closed.")]
    Open,
}

/// The text with data in its places.
pub(super) fn render(text: &str, data: &Value) -> Result<String, RenderingError> {
    let mut rendered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        rendered.push_str(before);
        let (tag, after) = after.split_once("}}").ok_or(RenderingError::Open)?;
        rest = after.strip_prefix('}').filter(|_| tag.starts_with('{')).unwrap_or(after);
        let name = tag.trim_start_matches('{').trim();
        let is_ours =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
        let is_name =
            !name.is_empty() && name.chars().all(is_ours) && !matches!(name, "else" | "this");
        if is_name {
            let value =
                lookup(data, name).ok_or_else(|| RenderingError::Missing(name.to_owned()))?;
            rendered.push_str(&shown(value));
        }
    }
    rendered.push_str(rest);
    Ok(rendered)
}

fn lookup<'d>(data: &'d Value, name: &str) -> Option<&'d Value> {
    name.split('.').try_fold(data, |value, part| value.get(part))
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
