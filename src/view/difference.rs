//! The lines of a change's fields: settings side by side, and of nested values only what differs, with enough
//! around it to see where. Invariant: every field that differs is on a line with a sign.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::line::{
    ALIGNED_MAX, Line, Sign, clean, embedded, inline, is_long, is_record, summary, unknown, whole,
};
use crate::engine::Field;

/// Members that say which one of its siblings an object is, in the order in which they are tried.
const NAMING: [&str; 7] = ["Sid", "Id", "id", "name", "Name", "key", "path"];

/// A before and an after on one line up to this many characters; beyond, on two.
const PAIR_MAX: usize = 110;

/// No spec is nested as deeply as this. A plan file may say otherwise, and is shown all the same: what is below stands in
/// one key.
const DEEPEST: usize = 32;

/// What became of one value.
enum Tree {
    /// The same on both sides, shown for context.
    Same(Value),
    Add(Value),
    Remove(Value),
    Change(Value, Value),
    /// Members, and how many more are the same on both sides.
    Members(Vec<(String, Tree)>, usize),
    /// Items, and how many more are the same on both sides.
    Items(Vec<Tree>, usize),
}

/// The lines that show `fields`, from depth 0.
pub(super) fn lines(fields: &[Field]) -> Vec<Line> {
    let mut root = Branch::default();
    for field in fields.iter().filter(|field| field.from != field.to) {
        root.insert(&segments(&field.path), field);
    }
    match root.tree() {
        Tree::Members(members, _) => member_lines(&members, 0),
        Tree::Add(Value::Object(members)) => member_lines(&each(members, Tree::Add), 0),
        Tree::Remove(Value::Object(members)) => member_lines(&each(members, Tree::Remove), 0),
        other => tree_lines(None, &other, 0),
    }
}

/// The lines that show what goes with a resource that is deleted: one for each setting, whatever it holds, and one for
/// each DNS record, since whoever looks for one looks for its name.
pub(super) fn deleted(live: Option<&Value>) -> Vec<Line> {
    let members = live.and_then(Value::as_object);
    let width =
        members.into_iter().flatten().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
    members
        .into_iter()
        .flatten()
        .flat_map(|(key, value)| {
            let records = value.as_object().filter(|records| !records.is_empty());
            if records.is_some_and(|records| records.values().all(is_record)) {
                return tree_lines(Some(key), &Tree::Remove(value.clone()), 0);
            }
            let key = clean(&format!("{key:width$}"));
            vec![Line::new(Sign::Remove, 0, format!("{key} = {}", summary(value)))]
        })
        .collect()
}

fn each(members: Map<String, Value>, wrap: fn(Value) -> Tree) -> Vec<(String, Tree)> {
    members.into_iter().map(|(key, value)| (key, wrap(value))).collect()
}

/// The keys of a dotted path, their escapes undone.
fn segments(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        let may_go_deeper = segments.len() < DEEPEST;
        match (character, segments.last_mut()) {
            ('.', _) if may_go_deeper => segments.push(String::new()),
            ('\\', Some(last)) => last.extend(characters.next()),
            (plain, Some(last)) => last.push(plain),
            (_, None) => {}
        }
    }
    segments
}

/// Fields, put back into the shape of the spec that they come from.
#[derive(Default)]
struct Branch {
    here: Option<(Option<Value>, Option<Value>)>,
    below: BTreeMap<String, Branch>,
}

impl Branch {
    fn insert(&mut self, path: &[String], field: &Field) {
        match path.split_first() {
            Some((first, rest)) => self.below.entry(first.clone()).or_default().insert(rest, field),
            None => self.here = Some((field.from.clone(), field.to.clone())),
        }
    }

    fn tree(self) -> Tree {
        if let Some((from, to)) = self.here {
            return pair(from, to);
        }
        let members: Vec<(String, Tree)> =
            self.below.into_iter().map(|(key, branch)| (key, branch.tree())).collect();
        gathered(members)
    }
}

/// Members that all come, or all go, are one value that does.
fn gathered(members: Vec<(String, Tree)>) -> Tree {
    let all = |wanted: fn(&Tree) -> bool| members.iter().all(|(_, tree)| wanted(tree));
    if all(|tree| matches!(tree, Tree::Add(_))) || all(|tree| matches!(tree, Tree::Remove(_))) {
        let is_added = all(|tree| matches!(tree, Tree::Add(_)));
        let values = members.into_iter().filter_map(|(key, tree)| match tree {
            Tree::Add(value) | Tree::Remove(value) => Some((key, value)),
            _ => None,
        });
        let whole = Value::Object(values.collect());
        return if is_added { Tree::Add(whole) } else { Tree::Remove(whole) };
    }
    Tree::Members(members, 0)
}

fn pair(from: Option<Value>, to: Option<Value>) -> Tree {
    match (from, to) {
        (Some(from), Some(to)) => compare(&from, &to),
        (None, Some(to)) => Tree::Add(to),
        (Some(from), None) => Tree::Remove(from),
        (None, None) => Tree::Same(Value::Null),
    }
}

fn compare(from: &Value, to: &Value) -> Tree {
    if from == to {
        return Tree::Same(to.clone());
    }
    if unknown(from).is_some() || unknown(to).is_some() {
        return Tree::Change(from.clone(), to.clone());
    }
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => compare_members(from, to),
        (Value::Array(old), Value::Array(new)) if is_plain(old) && is_plain(new) => {
            if is_long(from) || is_long(to) {
                compare_items(old, new)
            } else {
                Tree::Change(from.clone(), to.clone())
            }
        }
        (Value::Array(old), Value::Array(new)) => compare_items(old, new),
        _ => match (embedded(from), embedded(to)) {
            (Some(from), Some(to)) => compare(&from, &to),
            _ => Tree::Change(from.clone(), to.clone()),
        },
    }
}

fn is_plain(items: &[Value]) -> bool {
    items.iter().all(|item| !item.is_array() && !item.is_object() || unknown(item).is_some())
}

fn compare_members(from: &Map<String, Value>, to: &Map<String, Value>) -> Tree {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let mut members = Vec::new();
    let mut hidden = 0;
    for key in keys {
        let tree = pair(from.get(key).cloned(), to.get(key).cloned());
        match &tree {
            Tree::Same(value) if !NAMING.contains(&key.as_str()) || !value.is_string() => {
                hidden += 1;
            }
            _ => members.push((key.clone(), tree)),
        }
    }
    Tree::Members(members, hidden)
}

fn compare_items(from: &[Value], to: &[Value]) -> Tree {
    let (mut old, mut new): (Vec<&Value>, Vec<&Value>) = (from.iter().collect(), Vec::new());
    for item in to {
        match old.iter().position(|candidate| *candidate == item) {
            Some(index) => drop(old.remove(index)),
            None => new.push(item),
        }
    }
    let hidden = from.len() - old.len();
    let mut items = Vec::new();
    for item in new {
        match old.iter().position(|candidate| is_same_one(candidate, item)) {
            Some(index) => items.push(compare(old.remove(index), item)),
            None => items.push(Tree::Add(item.clone())),
        }
    }
    items.extend(old.into_iter().map(|item| Tree::Remove(item.clone())));
    Tree::Items(items, hidden)
}

/// Whether two different objects are one thing before and after, by the first naming member that either has.
fn is_same_one(from: &Value, to: &Value) -> bool {
    let name = NAMING.iter().find(|key| from.get(**key).is_some() || to.get(**key).is_some());
    name.is_some_and(|key| from.get(*key) == to.get(*key) && from.get("type") == to.get("type"))
}

fn member_lines(members: &[(String, Tree)], depth: usize) -> Vec<Line> {
    let collapsed: Vec<(String, &Tree)> =
        members.iter().map(|(key, tree)| collapse(key, tree)).collect();
    let width = collapsed
        .iter()
        .filter(|(_, tree)| is_short(tree))
        .map(|(key, _)| key.chars().count())
        .filter(|width| *width <= ALIGNED_MAX)
        .max()
        .unwrap_or(0);
    let padded = |key: &String, tree: &Tree| {
        if is_short(tree) { format!("{key:width$}") } else { key.clone() }
    };
    collapsed
        .iter()
        .flat_map(|(key, tree)| tree_lines(Some(&padded(key, tree)), tree, depth))
        .collect()
}

/// `delivery` with only `tls` below it becomes `delivery.tls`.
fn collapse<'a>(key: &str, tree: &'a Tree) -> (String, &'a Tree) {
    match tree {
        Tree::Members(members, 0) if members.len() == 1 => {
            collapse(&format!("{key}.{}", members[0].0), &members[0].1)
        }
        other => (key.to_owned(), other),
    }
}

fn is_short(tree: &Tree) -> bool {
    match tree {
        Tree::Same(value) | Tree::Add(value) | Tree::Remove(value) => {
            !is_long(value) && embedded(value).is_none()
        }
        Tree::Change(from, to) => {
            !is_long(from)
                && !is_long(to)
                && inline(from).chars().count() + inline(to).chars().count() <= PAIR_MAX
        }
        Tree::Members(..) | Tree::Items(..) => false,
    }
}

fn tree_lines(name: Option<&str>, tree: &Tree, depth: usize) -> Vec<Line> {
    let named = || name.map(|name| format!("{} = ", clean(name))).unwrap_or_default();
    match tree {
        Tree::Same(value) => whole(Sign::Context, depth, name, value),
        Tree::Add(value) => whole(Sign::Add, depth, name, value),
        Tree::Remove(value) => whole(Sign::Remove, depth, name, value),
        Tree::Change(from, to) if is_short(tree) => {
            let text = format!("{}{} -> {}", named(), inline(from), inline(to));
            vec![Line::new(Sign::Change, depth, text)]
        }
        Tree::Change(from, to) => {
            let mut lines = whole(Sign::Remove, depth, name, from);
            lines.extend(whole(Sign::Add, depth, name, to));
            lines
        }
        Tree::Members(members, hidden) => {
            let mut lines = vec![Line::new(Sign::Change, depth, named() + "{")];
            lines.extend(member_lines(members, depth + 1));
            lines.extend(hidden_line(*hidden, depth + 1));
            lines.push(Line::new(Sign::Context, depth, "}"));
            lines
        }
        Tree::Items(items, hidden) => {
            let mut lines = vec![Line::new(Sign::Change, depth, named() + "[")];
            lines.extend(items.iter().flat_map(|item| tree_lines(None, item, depth + 1)));
            if items.is_empty() {
                lines.push(Line::new(Sign::Change, depth + 1, "# in another order"));
            }
            lines.extend(hidden_line(*hidden, depth + 1));
            lines.push(Line::new(Sign::Context, depth, "]"));
            lines
        }
    }
}

fn hidden_line(hidden: usize, depth: usize) -> Option<Line> {
    (hidden > 0).then(|| Line::new(Sign::Context, depth, format!("# {hidden} unchanged")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_end_is_shown_in_bounded_depth() {
        let path = "a.".repeat(5_000) + "b";
        let field = |to: &str| Field { path: path.clone(), from: None, to: Some(Value::from(to)) };
        for fields in
            [vec![field("x")], vec![field("x"), Field { path: "c".to_owned(), ..field("y") }]]
        {
            let lines = lines(&fields);
            assert!(lines.iter().all(|line| line.depth <= DEEPEST), "{}", lines.len());
            assert!(lines.iter().any(|line| line.text.contains("a.a.a.a")), "it is not shown");
        }
    }
}
