//! XML as XMPP speaks it: finding the frames of a stream and indexing them.
//!
//! A [`Framer`] is fed the bytes of one stream in whatever pieces the network
//! brings and answers with [`Frame`]s: the stream header, whole elements, the
//! end. Every element arrives as the bytes it was sent in plus a flat index
//! ([`Element`]), so it is parsed once and forwarded without being written
//! again. Nothing here does I/O.
//!
//! The subset of XML is the one of RFC 6120 §11: no document type, no
//! processing instruction, no comment, no entity but the five predefined ones,
//! UTF-8 only. Depth, attributes, names and size are bounded by [`Limits`].

mod chars;
mod element;
mod error;
mod escape;
mod framer;
mod header;
mod index;
mod limits;
mod make;
mod node;
mod record;
mod references;
mod scan;
mod scope;
mod serialize;
mod tag;

pub use element::Element;
pub use error::XmlError;
pub use escape::{escape_attr, escape_text};
pub use framer::{Frame, Framer};
pub use header::StreamHeader;
pub use limits::Limits;
pub use make::El;
pub use node::{Attr, Attrs, Children, Declarations, Node};
pub use scope::{NS_XML, NS_XMLNS, Scope};
