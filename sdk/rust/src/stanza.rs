use crate::Fault;
use crate::wit::xylem::stanza::current as wit;

/// The kinds of stanzas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `<message/>`
    Message,
    /// `<presence/>`
    Presence,
    /// `<iq/>`
    Iq,
}

/// A view of the stanza the call is about, in the packed form it crossed in
/// (`sdk/wit/PACKED.md`): one text and one index. Making and asking it copies nothing.
#[derive(Clone, Copy)]
pub struct Stanza<'a> {
    text: &'a str,
    index: &'a [u32],
}

/// Words of the index's head.
const COUNT: usize = 1;
const KIND: usize = 2;
const TYPE: usize = 3;
const ID: usize = 5;
const FROM: usize = 7;
const TO: usize = 9;
const LANG: usize = 11;
const RECORDS: usize = 13;

/// Words of an element's record.
const PARENT: usize = 0;
const NAME: usize = 2;
const NS: usize = 4;
const TEXT: usize = 6;
const ATTRIBUTES: usize = 8;
const FIRST_ATTRIBUTE: usize = 9;
const ATTRIBUTE_WORDS: usize = 6;

impl<'a> Stanza<'a> {
    /// A view of a packed stanza.
    #[must_use]
    pub fn new(text: &'a str, index: &'a [u32]) -> Self {
        Self { text, index }
    }

    fn word(&self, at: usize) -> u32 {
        self.index.get(at).copied().unwrap_or(0)
    }

    fn span(&self, at: usize) -> Option<&'a str> {
        let offset = *self.index.get(at)? as usize;
        let length = *self.index.get(at + 1)? as usize;
        self.text.get(offset..offset.checked_add(length)?)
    }

    /// Message, presence or IQ.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.word(KIND) {
            0 => Kind::Message,
            1 => Kind::Presence,
            _ => Kind::Iq,
        }
    }

    /// The type; none for a `normal` message and for available presence.
    #[must_use]
    pub fn type_(&self) -> Option<&'a str> {
        self.span(TYPE)
    }

    /// Whether it has this `type`.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.type_() == Some(kind)
    }

    /// The `id` attribute.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.span(ID)
    }

    /// The sender, canonical; the server set it.
    #[must_use]
    pub fn from(&self) -> Option<&'a str> {
        self.span(FROM)
    }

    /// The addressee, canonical.
    #[must_use]
    pub fn to(&self) -> Option<&'a str> {
        self.span(TO)
    }

    /// `xml:lang`.
    #[must_use]
    pub fn lang(&self) -> Option<&'a str> {
        self.span(LANG)
    }

    /// The stanza's own element.
    #[must_use]
    pub fn root(&self) -> Element<'a> {
        Element { stanza: *self, number: 0 }
    }

    /// The first child element: what an IQ carries.
    #[must_use]
    pub fn payload(&self) -> Option<Element<'a>> {
        self.root().children().next()
    }

    /// The first child element of this name.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<Element<'a>> {
        self.root().child(ns, name)
    }

    /// The whole stanza as XML, namespaces explicit, with the edits made so far; none outside the call
    /// that it came with.
    #[must_use]
    pub fn edited(&self) -> Option<String> {
        wit::xml()
    }

    /// Appends a child to the stanza on its way. Needs the grant `edit`.
    pub fn insert(&self, child: crate::Xml) -> Result<(), Fault> {
        Ok(wit::insert(&child.build())?)
    }

    /// Removes the direct children of this name from the stanza on its way; says how many there were.
    pub fn remove(&self, ns: &str, name: &str) -> Result<u32, Fault> {
        Ok(wit::remove(ns, name)?)
    }
}

/// One element of a stanza.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    stanza: Stanza<'a>,
    number: u32,
}

impl<'a> Element<'a> {
    fn record(&self) -> usize {
        // The table of records ends where the records begin.
        let stanza = &self.stanza;
        let table = (stanza.word(RECORDS) as usize).saturating_sub(stanza.word(COUNT) as usize);
        stanza.word(table.saturating_add(self.number as usize)) as usize
    }

    fn span(&self, at: usize) -> Option<&'a str> {
        self.stanza.span(self.record().checked_add(at)?)
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.span(NAME).unwrap_or_default()
    }

    /// The namespace.
    #[must_use]
    pub fn ns(&self) -> &'a str {
        self.span(NS).unwrap_or_default()
    }

    /// Whether it has this name.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name() == name && self.ns() == ns
    }

    /// The direct text, unescaped.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.span(TEXT).unwrap_or_default()
    }

    /// An attribute without namespace, unescaped.
    #[must_use]
    pub fn attr(&self, name: &str) -> Option<&'a str> {
        self.attr_ns("", name)
    }

    /// An attribute in a namespace.
    #[must_use]
    pub fn attr_ns(&self, ns: &str, name: &str) -> Option<&'a str> {
        self.attrs().find(|(n, s, _)| *n == name && *s == ns).map(|(_, _, value)| value)
    }

    /// All attributes: name, namespace (empty for none), value.
    pub fn attrs(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> + use<'a> {
        let stanza = self.stanza;
        let record = self.record();
        let count = stanza.word(record.saturating_add(ATTRIBUTES)) as usize;
        (0..count.min(stanza.index.len())).map_while(move |n| {
            let at = record.checked_add(FIRST_ATTRIBUTE + n * ATTRIBUTE_WORDS)?;
            let name = stanza.span(at)?;
            Some((name, stanza.span(at + 2).unwrap_or_default(), stanza.span(at + 4).unwrap_or_default()))
        })
    }

    /// The child elements, in order.
    #[must_use]
    pub fn children(&self) -> Children<'a> {
        Children { parent: *self, next: self.number + 1 }
    }

    /// The first child element of this name.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<Element<'a>> {
        self.children().find(|child| child.is(ns, name))
    }

    /// The element as it was received, as XML that can stand alone; none outside the call
    /// that the stanza came with.
    #[must_use]
    pub fn xml(&self) -> Option<String> {
        wit::element_xml(self.number)
    }

    fn parent(&self) -> u32 {
        self.stanza.word(self.record().saturating_add(PARENT))
    }
}

/// Iterator over child elements.
pub struct Children<'a> {
    parent: Element<'a>,
    next: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let stanza = self.parent.stanza;
        while self.next < stanza.word(COUNT) {
            let element = Element { stanza, number: self.next };
            self.next += 1;
            let parent = element.parent();
            if parent == self.parent.number {
                return Some(element);
            }
            if parent < self.parent.number {
                // Document order: whoever hangs above this element ends its subtree.
                self.next = u32::MAX;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Stanza};

    const HEAD: usize = 14;

    /// `<iq id='7'><q xmlns='n' k='v'><i/>t</q><z xmlns='n'/></iq>` in packed form.
    fn packed() -> (&'static str, Vec<u32>) {
        let text = "iqjabber:client7qnkvtiz";
        let none = [u32::MAX, 0];
        let span = |part: &str| [text.find(part).map_or(u32::MAX, |at| at as u32), part.len() as u32];
        let last = |part: &str| [text.rfind(part).map_or(u32::MAX, |at| at as u32), part.len() as u32];
        let (name, ns) = ([0, 2], span("jabber:client"));
        let (q, n) = ([16, 1], [17, 1]);
        let root: Vec<u32> = [&[u32::MAX, 0][..], &name, &ns, &none, &[0]].concat();
        let child: Vec<u32> = [&[0, 0][..], &q, &n, &last("t"), &[1], &span("k"), &none, &span("v")].concat();
        let inner: Vec<u32> = [&[1, 0][..], &last("i"), &n, &none, &[0]].concat();
        let second: Vec<u32> = [&[0, 0][..], &last("z"), &n, &none, &[0]].concat();
        let base = (HEAD + 4) as u32;
        let mut index: Vec<u32> = [&[1, 4, 2][..], &none, &span("7"), &none, &none, &none, &[base]].concat();
        let mut offset = base;
        for record in [&root, &child, &inner, &second] {
            index.push(offset);
            offset += record.len() as u32;
        }
        for record in [root, child, inner, second] {
            index.extend(record);
        }
        (text, index)
    }

    #[test]
    fn reads_head_and_elements() {
        let (text, index) = packed();
        let stanza = Stanza::new(text, &index);
        assert_eq!((stanza.kind(), stanza.id(), stanza.type_()), (Kind::Iq, Some("7"), None));
        let query = stanza.child("n", "q").map(|q| (q.attr("k"), q.text(), q.children().count()));
        assert_eq!(query, Some((Some("v"), "t", 1)));
        let names: Vec<&str> = stanza.root().children().map(|child| child.name()).collect();
        assert_eq!(names, ["q", "z"]);
    }

    #[test]
    fn nonsense_is_empty() {
        for length in 0..packed().1.len() {
            let (text, mut index) = packed();
            index.truncate(length);
            let stanza = Stanza::new(text, &index);
            for child in stanza.root().children() {
                let _ = (child.name(), child.text(), child.attrs().count());
            }
        }
        let wild = vec![u32::MAX; 40];
        assert_eq!(Stanza::new("x", &wild).id(), None);
        assert_eq!(Stanza::new("x", &wild).root().attrs().count(), 0);
    }
}
