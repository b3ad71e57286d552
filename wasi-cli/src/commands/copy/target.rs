//! The store that is copied to.

use std::{fs, path::Path};

use ocicle::{
    Repository,
    graph::{
        archive::{create_archive, rewrite_docker_archive},
        copy::{Copied, Plan},
        reference::{Reference, StoreKind},
    },
    image::docker_archive,
    name::{Name, NameBuf},
    remote::check_entries,
    spec::{IMAGE_NAME, REF_NAME},
    store::{
        BlobRead, RootIndex as _, RootIndexExt as _,
        archive::{self, ArchiveKind},
        overlay::Overlay,
    },
    text::printable,
};

use crate::{
    context::Context,
    failure::Failure,
    place::Place,
    show::human_size,
    stores::{AnyStore, parent, patience},
    system::SystemDir,
};

/// The destination, and what happens to its tags.
pub(super) struct Target<'a> {
    pub(super) context: &'a Context,
    pub(super) to: &'a Reference,
    pub(super) existing: Existing,
}

/// The treatment of tags that the destination has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Keep,
}

impl Target<'_> {
    /// Copies what a plan says.
    pub(super) fn write<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
        source: &Place,
    ) -> Result<Copied, Failure> {
        match self.to.kind {
            Some(StoreKind::Registry) => self.push(from, plan, source),
            Some(StoreKind::Web) => Err(self.only_read()),
            _ => self.store(from, plan),
        }
    }

    /// Prints the blobs that would be copied, and counts them. Nothing is changed.
    pub(super) fn preview<S: BlobRead>(&self, from: &Repository<S>, plan: &Plan) -> Result<Copied, Failure> {
        let store = self.existing(plan)?;
        if self.to.kind == Some(StoreKind::DockerArchive) {
            docker_archive::check_images(plan.index().view())?;
        }
        let plan = match &store {
            Some(store) if store.is_registry() => self.kept(from, plan, store)?,
            Some(store) => self.without_existing(from, plan, store)?,
            None => plan.clone(),
        };
        let (blobs, absent) = plan.blobs(from)?;
        let mut copied = Copied { absent, ..Copied::default() };
        let mut lines = Vec::new();
        for blob in blobs {
            let there = store.as_ref().map_or(Ok(None), |store| store.try_size(blob))?;
            if there == Some(blob.size) {
                copied.present += 1;
                continue;
            }
            copied.blobs += 1;
            copied.bytes = copied.bytes.saturating_add(blob.size);
            let media_type = printable(blob.media_type.as_str());
            lines.push(format!("{}  {}  {media_type}", blob.digest, human_size(blob.size)));
        }
        self.context.print_lines(lines)?;
        Ok(copied)
    }

    /// Opens what is there; `None` if the copy makes it.
    fn existing(&self, plan: &Plan) -> Result<Option<AnyStore>, Failure> {
        let path = Path::new(&self.to.path);
        let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        let kind = match self.to.kind {
            Some(StoreKind::Registry) => return self.registry(plan).map(Some),
            Some(StoreKind::Web) => return Err(self.only_read()),
            _ if !self.exists()? => return self.check_new().map(|()| None),
            Some(StoreKind::Oci) | None if is_empty() => return Ok(None),
            // It may be an OCI archive as well.
            Some(StoreKind::DockerArchive) => None,
            kind => kind,
        };
        AnyStore::open(kind, &self.to.path, &self.context.opening()).map(Some)
    }

    /// Checks that the destination can be made.
    fn check_new(&self) -> Result<(), Failure> {
        let path = Path::new(&self.to.path);
        if self.to.kind.is_none() && path.extension().is_some_and(|end| end == "tar") {
            let message = format!("{} not found: the kind of a new archive is not known", self.to.path);
            let hint = format!("write oci-archive:{0} or docker-archive:{0}", self.to.path);
            return Err(Failure::usage(message).hint(hint));
        }
        match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() && !dir.is_dir() => {
                Err(Failure::failed(format!("create {}: {} is not a directory", self.to.path, dir.display())))
            }
            _ => Ok(()),
        }
    }

    fn only_read(&self) -> Failure {
        Failure::usage(format!("cannot copy to {}: a web server is only read from", self.to.path))
    }

    /// Returns whether there is something at the path. Where that is not known, nothing must be written.
    fn exists(&self) -> Result<bool, Failure> {
        let path = &self.to.path;
        Path::new(path).try_exists().map_err(|error| Failure::failed(format!("stat {path}: {error}")))
    }

    /// Returns a plan without the tags that stay as they are.
    fn without_existing<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
        store: &AnyStore,
    ) -> Result<Plan, Failure> {
        if self.existing == Existing::Replace {
            return Ok(plan.clone());
        }
        let (plan, skipped) = plan.clone().without_tags_of(from, store.load()?.view())?;
        for tag in skipped {
            self.context.note(format_args!("skipping tag {}: it exists", printable(&tag)));
        }
        Ok(plan)
    }

    /// Opens a registry, which is asked for the tags of a plan only.
    fn registry(&self, plan: &Plan) -> Result<AnyStore, Failure> {
        let store = AnyStore::open(self.to.kind, &self.to.path, &self.context.opening())?;
        let entries = &plan.index().view().manifests;
        if let Some(remote) = store.remote() {
            let tags = entries.iter().filter_map(|entry| entry.ref_name());
            remote.look_for_tags(tags.map(String::from).collect());
        }
        Ok(store)
    }

    fn push<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
        source: &Place,
    ) -> Result<Copied, Failure> {
        let store = self.registry(plan)?;
        let plan = self.kept(from, plan, &store)?;
        let (blobs, _) = plan.blobs(from)?;
        let mounted = match (store.remote(), source.repository.store().remote()) {
            (Some(to), Some(from)) => to.mount_from(from, &blobs)?,
            _ => 0,
        };
        if mounted > 0 {
            self.context.detail(format_args!("mounted {mounted} blobs of another repository"));
        }
        copy_into(from, &plan, store)
    }

    /// Returns what a registry keeps of a plan.
    fn kept<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
        store: &AnyStore,
    ) -> Result<Plan, Failure> {
        let plan = self.without_annotations(from, plan)?;
        let plan = self.without_existing(from, &plan, store)?;
        check_entries(from, plan.index().view())?;
        Ok(plan)
    }

    /// Returns a plan whose root entries have their names alone: a registry keeps nothing else.
    fn without_annotations<S: BlobRead>(&self, from: &Repository<S>, plan: &Plan) -> Result<Plan, Failure> {
        let mut index = plan.index().clone();
        for (position, entry) in plan.index().view().manifests.iter().enumerate() {
            if entry.ref_name().is_none() {
                continue;
            }
            let lost = entry.annotations.keys().filter(|key| ![REF_NAME, IMAGE_NAME].contains(&key.as_str()));
            for key in lost {
                index = index.annotate(position, key, None)?;
                let key = printable(key);
                self.context.warn(format_args!(
                    "{}: skipping {key}: a registry keeps no annotations of tags",
                    entry.digest
                ));
            }
        }
        Ok(Plan::of_index(from, index)?)
    }

    fn store<S: BlobRead>(&self, from: &Repository<S>, plan: &Plan) -> Result<Copied, Failure> {
        let to = self.to;
        let path = Path::new(&to.path);
        let exists = self.exists()?;
        if let Some(kind @ (StoreKind::OciArchive | StoreKind::DockerArchive)) = to.kind {
            let created = if exists { None } else { self.create(from, plan, kind)? };
            if let Some(copied) = created {
                return Ok(copied);
            }
            if kind == StoreKind::DockerArchive {
                return self.add(from, plan);
            }
        } else if !exists {
            self.check_new()?;
        }
        let store = match to.kind {
            Some(StoreKind::Oci) | None if !exists || path.is_dir() => {
                AnyStore::open_or_create_layout(&to.path, &self.context.opening())?
            }
            kind => AnyStore::open(kind, &to.path, &self.context.opening())?,
        };
        copy_into(from, &self.without_existing(from, plan, &store)?, store)
    }

    /// Adds to an archive that `docker load` can read. It is written again with the images of both, unless it
    /// is also an OCI archive, which is edited as such.
    fn add<S: BlobRead>(&self, from: &Repository<S>, plan: &Plan) -> Result<Copied, Failure> {
        let store = AnyStore::open(None, &self.to.path, &self.context.opening())?;
        let plan = &self.without_existing(from, plan, &store)?;
        if !matches!(&store, AnyStore::Archive(file) if file.archive().kind() == ArchiveKind::Docker) {
            return copy_into(from, plan, store);
        }
        drop(store);
        let (dir, name, copied) = self.file(from, plan)?;
        let wait = patience(&self.to.path, self.context.is_quiet());
        rewrite_docker_archive(&dir, name.as_name(), from.limits(), &wait, |old, out| {
            let both = from.with_store(Overlay::new(from.store(), old, from.limits()));
            docker_archive::write_docker_archive(&both, &plan.merged_into(&old.load()?)?, out)
        })?;
        Ok(copied)
    }

    /// Writes a new archive; returns `None` if it exists by now.
    fn create<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
        kind: StoreKind,
    ) -> Result<Option<Copied>, Failure> {
        let (dir, name, copied) = self.file(from, plan)?;
        let wait = patience(&self.to.path, self.context.is_quiet());
        let created = create_archive(&dir, name.as_name(), &wait, |out| match kind {
            StoreKind::DockerArchive => docker_archive::write_docker_archive(from, plan.index(), out),
            _ => archive::write_archive(from.store(), plan.index(), plan.blobs(from)?.0, out),
        })?;
        Ok(created.then_some(copied))
    }

    /// Returns the directory and name of an archive, and the counts of writing all of a plan into it.
    fn file<S: BlobRead>(
        &self,
        from: &Repository<S>,
        plan: &Plan,
    ) -> Result<(SystemDir, NameBuf, Copied), Failure> {
        let (dir, name) = parent(Path::new(&self.to.path))?;
        let name = Name::new(name.as_encoded_bytes()).map_err(|error| Failure::usage(error.to_string()))?;
        let (blobs, absent) = plan.blobs(from)?;
        let bytes = blobs.iter().map(|blob| blob.size).sum();
        Ok((dir, name.into(), Copied { blobs: blobs.len() as u64, bytes, absent, ..Copied::default() }))
    }
}

fn copy_into<S: BlobRead>(from: &Repository<S>, plan: &Plan, store: AnyStore) -> Result<Copied, Failure> {
    let to = from.with_store(store);
    // A read-only archive fails here, before blobs are read.
    let copied = plan.copy_blobs(from, &to)?;
    to.store().update(|root| plan.merged_into(root))?;
    Ok(copied)
}
