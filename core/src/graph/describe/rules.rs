//! The rules that a description must satisfy by itself, before any object is looked up.

use std::collections::BTreeMap;

use super::{Description, Node};
use crate::{
    error::{Error, Result},
    graph::RefName,
    spec::IMAGE_NAME,
};

/// Returns an error at a node, such as `root[0].index.manifests[1]`.
pub(super) fn wrong(at: &str, reason: impl std::fmt::Display) -> Error {
    Error::Misuse(format!("{at}: {reason}"))
}

/// Checks all nodes; returns those that have names.
pub(super) fn check(description: &Description) -> Result<BTreeMap<&str, (String, &Node)>> {
    let mut rules = Rules::default();
    for (number, node) in description.root.iter().enumerate() {
        let at = format!("root[{number}]");
        if let Some(tag) = &node.tag {
            tag.parse::<RefName>().map_err(|error| wrong(&at, error))?;
            // Docker saves images of several names under one tag.
            let name = node.annotations.get(IMAGE_NAME).map(String::as_str);
            if let Some(first) = rules.tags.insert((tag, name), at.clone()) {
                return Err(wrong(&at, format_args!("the tag {tag} is that of {first}, too")));
            }
        }
        rules.node(&at, node)?;
    }
    Ok(rules.names)
}

#[derive(Default)]
struct Rules<'a> {
    tags: BTreeMap<(&'a str, Option<&'a str>), String>,
    names: BTreeMap<&'a str, (String, &'a Node)>,
}

impl<'a> Rules<'a> {
    fn node(&mut self, at: &str, node: &'a Node) -> Result<()> {
        let said: Vec<&str> = [
            ("from", node.from.is_some()),
            ("index", node.index.is_some()),
            ("manifest", node.manifest.is_some()),
            ("blob", node.blob.is_some()),
        ]
        .iter()
        .filter_map(|(name, said)| said.then_some(*name))
        .collect();
        if said.len() != 1 {
            let said = if said.is_empty() { "none".into() } else { said.join(" and ") };
            return Err(wrong(
                at,
                format_args!("expected one of from, index, manifest and blob, found {said}"),
            ));
        }
        if let Some(name) = &node.name
            && let Some((first, _)) = self.names.insert(name, (at.into(), node))
        {
            return Err(wrong(at, format_args!("the name {name:?} is that of {first}, too")));
        }
        if node.annotations.contains_key("") {
            return Err(wrong(at, "an annotation with the name \"\""));
        }
        if let Some(blob) = &node.blob {
            if blob.file.is_some() == blob.text.is_some() {
                return Err(wrong(at, "expected one of file and text"));
            }
            if node.media_type.is_none() {
                return Err(wrong(at, "a blob needs a media_type"));
            }
        }
        if let Some(index) = &node.index {
            for (number, below) in index.manifests.iter().enumerate() {
                self.below(&format!("{at}.index.manifests[{number}]"), below)?;
            }
        }
        if let Some(manifest) = &node.manifest {
            if manifest.config.is_none() && manifest.artifact_type.is_none() {
                return Err(wrong(at, "a manifest without config needs an artifact_type"));
            }
            if let Some(config) = &manifest.config {
                self.below(&format!("{at}.manifest.config"), config)?;
            }
            for (number, layer) in manifest.layers.iter().enumerate() {
                self.below(&format!("{at}.manifest.layers[{number}]"), layer)?;
            }
        }
        Ok(())
    }

    fn below(&mut self, at: &str, node: &'a Node) -> Result<()> {
        match &node.tag {
            Some(tag) => Err(wrong(at, format_args!("the tag {tag} is for entries of the root only"))),
            None => self.node(at, node),
        }
    }
}
