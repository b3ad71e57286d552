//! The commands: each file has the arguments of one command, and runs it with the library.

mod annotate;
mod attach;
mod cat;
mod check;
mod completions;
mod config;
mod copy;
mod diff;
mod discover;
mod export;
mod files;
mod find;
mod gc;
mod init;
mod insert;
mod layers;
mod login;
mod logout;
mod ls;
mod man;
mod mtree;
mod new;
mod platform;
mod pull;
pub(crate) mod raw;
mod rebase;
mod recompress;
mod repack;
mod resolve;
mod rm;
mod squash;
mod stat;
mod tag;
mod tree;
mod unpack;
mod waste;
mod why;

pub(crate) use self::{
    annotate::Annotate,
    attach::Attach,
    cat::Cat,
    check::Check,
    completions::Completions,
    config::{Clear, Config},
    copy::Copy,
    diff::Diff,
    discover::Discover,
    export::Export,
    files::Files,
    find::Find,
    gc::Gc,
    init::Init,
    insert::Insert,
    layers::Layers,
    login::Login,
    logout::Logout,
    ls::Ls,
    man::Man,
    mtree::Mtree,
    new::New,
    platform::Platform,
    pull::Pull,
    raw::Raw,
    rebase::Rebase,
    recompress::Recompress,
    repack::Repack,
    resolve::Resolve,
    rm::Rm,
    squash::Squash,
    stat::Stat,
    tag::Tag,
    tree::Tree,
    unpack::{BundleFormat, Unpack},
    waste::Waste,
    why::Why,
};
