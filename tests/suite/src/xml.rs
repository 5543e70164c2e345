//! Trees for what a story expects and for what arrived, made by a parser that
//! shares no code with the server's.

use std::fmt::{self, Write as _};

use anyhow::{Context as _, Result, bail};
use rxml::error::EndOrError;
use rxml::{Event as Xml, Options, Parse, Parser, WithOptions};

/// Namespace of the stream element, its features and its errors (RFC 6120 §4.8.1).
pub const STREAMS: &str = "http://etherx.jabber.org/streams";
/// Namespace of stanzas on a client's stream.
pub const CLIENT: &str = "jabber:client";
const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";

/// One attribute; `ns` is empty for the usual, unprefixed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub ns: String,
    pub name: String,
    pub value: String,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Element(Tree),
    Text(String),
}

/// An element with its namespace resolved, prefixes forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    pub ns: String,
    pub name: String,
    pub attributes: Vec<Attribute>,
    pub content: Vec<Content>,
}

impl Tree {
    /// The unprefixed attribute of this name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.ns.is_empty() && a.name == name).map(|a| a.value.as_str())
    }

    /// The child elements in order.
    pub fn children(&self) -> impl Iterator<Item = &Tree> {
        self.content.iter().filter_map(|c| match c {
            Content::Element(e) => Some(e),
            Content::Text(_) => None,
        })
    }

    /// The first child element of this namespace and name.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<&Tree> {
        self.children().find(|c| c.ns == ns && c.name == name)
    }

    /// The direct text, pieces joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|c| match c {
                Content::Text(t) => Some(t.as_str()),
                Content::Element(_) => None,
            })
            .collect()
    }

    fn write(&self, out: &mut String, outer_ns: &str, indent: usize) -> fmt::Result {
        let pad = "  ".repeat(indent);
        write!(out, "{pad}<{}", self.name)?;
        if self.ns != outer_ns {
            write!(out, " xmlns='{}'", self.ns)?;
        }
        for a in &self.attributes {
            let prefix = if a.ns == XML_NS {
                "xml:".to_owned()
            } else if a.ns.is_empty() {
                String::new()
            } else {
                format!("{{{}}}", a.ns)
            };
            write!(out, " {prefix}{}='{}'", a.name, a.value)?;
        }
        if self.content.is_empty() {
            return writeln!(out, "/>");
        }
        if self.children().next().is_none() {
            return writeln!(out, ">{}</{}>", self.text(), self.name);
        }
        writeln!(out, ">")?;
        for c in &self.content {
            match c {
                Content::Element(e) => e.write(out, &self.ns, indent + 1)?,
                Content::Text(t) if t.trim().is_empty() => {}
                Content::Text(t) => writeln!(out, "{pad}  {}", t.trim())?,
            }
        }
        writeln!(out, "{pad}</{}>", self.name)
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out, CLIENT, 0)?;
        f.write_str(out.trim_end())
    }
}

/// What a stream brings, or what a story expects of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The opening tag of the stream.
    Open(Tree),
    /// A first-level element.
    Element(Tree),
    /// The closing tag of the stream.
    Close,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(t) => write!(f, "{t} (the opening tag of the stream)"),
            Self::Element(t) => t.fmt(f),
            Self::Close => f.write_str("</stream:stream>"),
        }
    }
}

/// Reads the events of one stream, from its declaration to its closing tag.
pub struct Reader {
    parser: Parser,
    pending: Vec<u8>,
    stack: Vec<Tree>,
    open: bool,
}

impl Default for Reader {
    fn default() -> Self {
        let options = Options { max_token_length: 1 << 20, ..Options::default() };
        Self { parser: Parser::with_options(options), pending: Vec::new(), stack: Vec::new(), open: false }
    }
}

impl Reader {
    /// Appends bytes from the wire.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Takes the bytes that no event has used yet.
    pub fn take_pending(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    /// The next event, or nothing until more bytes have come.
    ///
    /// # Errors
    /// When the server sent what is not well-formed, namespace-well-formed and restricted XML.
    pub fn next_event(&mut self) -> Result<Option<Event>> {
        // Even without bytes: one byte may have made two events.
        loop {
            let mut rest = self.pending.as_slice();
            let parsed = self.parser.parse(&mut rest, false);
            let used = self.pending.len() - rest.len();
            let piece: Vec<u8> = self.pending.drain(..used).collect();
            match parsed {
                Ok(Some(xml)) => {
                    if let Some(event) = self.take(xml)? {
                        return Ok(Some(event));
                    }
                }
                Ok(None) | Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(e)) => {
                    bail!("the server sent bad XML ({e}) near {:?}", String::from_utf8_lossy(&piece))
                }
            }
        }
    }

    fn take(&mut self, xml: Xml) -> Result<Option<Event>> {
        match xml {
            Xml::XmlDeclaration(..) => Ok(None),
            Xml::StartElement(_, (ns, name), attributes) => {
                let mut tree = Tree { ns: ns.as_str().to_owned(), name: name.to_string(), ..Tree::default() };
                for ((ns, name), value) in attributes {
                    tree.attributes.push(Attribute { ns: ns.as_str().to_owned(), name: name.to_string(), value });
                }
                if self.open {
                    self.stack.push(tree);
                    Ok(None)
                } else {
                    self.open = true;
                    Ok(Some(Event::Open(tree)))
                }
            }
            Xml::EndElement(_) => Ok(match self.stack.pop() {
                None => Some(Event::Close),
                Some(done) => match self.stack.last_mut() {
                    None => Some(Event::Element(done)),
                    Some(parent) => {
                        parent.content.push(Content::Element(done));
                        None
                    }
                },
            }),
            Xml::Text(_, text) => self.text(text),
        }
    }

    fn text(&mut self, text: String) -> Result<Option<Event>> {
        let Some(parent) = self.stack.last_mut() else {
            if text.trim().is_empty() {
                return Ok(None);
            }
            bail!("the server sent text between stanzas: {text:?}");
        };
        if let Some(Content::Text(before)) = parent.content.last_mut() {
            before.push_str(&text);
        } else {
            parent.content.push(Content::Text(text));
        }
        Ok(None)
    }
}

/// Reads what stands under a `receives:` line: elements, and the stream's opening and closing tags.
///
/// # Errors
/// When the text is not XML of that form.
pub fn parse_expected(text: &str) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if rest.starts_with("<?xml") {
            rest = rest.split_once("?>").context("unfinished declaration")?.1.trim_start();
        } else if let Some(after) = rest.strip_prefix("</stream:stream>") {
            events.push(Event::Close);
            rest = after.trim_start();
        } else if rest.starts_with("<stream:stream") {
            let (tag, after) = rest.split_once('>').context("unfinished opening tag")?;
            for event in fragment(&format!("{}/>", tag.trim_end_matches('/')))? {
                let Event::Element(tree) = event else { bail!("not one opening tag: {tag}") };
                events.push(Event::Open(tree));
            }
            rest = after.trim_start();
        } else {
            let end = rest.find("</stream:stream>").unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            events.extend(fragment(part)?);
            rest = after;
        }
    }
    Ok(events)
}

fn fragment(text: &str) -> Result<Vec<Event>> {
    let mut reader = Reader::default();
    reader.feed(format!("<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>").as_bytes());
    reader.feed(text.as_bytes());
    reader.feed(b"</stream:stream>");
    let mut events = Vec::new();
    loop {
        match reader.next_event().with_context(|| format!("in the story's text {text:?}"))? {
            Some(Event::Open(_)) => {}
            Some(Event::Close) => return Ok(events),
            Some(element) => events.push(element),
            None => bail!("unfinished element in the story's text {text:?}"),
        }
    }
}
