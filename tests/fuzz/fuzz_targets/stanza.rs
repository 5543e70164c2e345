#![no_main]

use libfuzzer_sys::fuzz_target;
use xylem_stanza::{Condition, Packed, Stanza, packed};
use xylem_xml::Element;

fuzz_target!(|xml: &str| {
    let Ok(element) = Element::parse_in(xml, "jabber:client") else {
        return;
    };
    inside(&packed::packed_of(&element));
    let Ok(stanza) = Stanza::from_element(element) else {
        return;
    };
    inside(&stanza.packed());
    let mut out = Vec::new();
    stanza.write_to(&mut out);
    let out = String::from_utf8(out).expect("text");
    same(&stanza, &Stanza::parse(&out).expect("what was read can be read again"));
    let alone = Element::parse(&stanza.to_xml_string()).expect("stands alone");
    same(&stanza, &Stanza::from_element(alone).expect("is the stanza"));
    if let Ok(more) = stanza.insert_child("<x xmlns='urn:fuzz'/>") {
        let less = more.remove_children("urn:fuzz", "x").expect("can be undone");
        if stanza.child("urn:fuzz", "x").is_none() {
            same(&stanza, &less);
        }
    }
    if let Some(error) = stanza.error(Condition::BadRequest).text(xml).with_payload().build() {
        assert!(error.is_error());
        assert_eq!(error.to(), stanza.from());
    }
});

fn same(one: &Stanza, other: &Stanza) {
    assert_eq!(one.packed(), other.packed());
}

/// Every number of the packed form stays inside.
fn inside(packed: &Packed) {
    let word = |at: usize| packed.index[at] as usize;
    let span = |at: usize| {
        let (start, len) = (word(at), word(at + 1));
        if packed.index[at] != packed::ABSENT {
            packed.text.get(start..start + len).expect("a span");
        }
    };
    (3..13).step_by(2).for_each(span);
    let (count, base) = (word(1), word(13));
    let mut at = base;
    for record in 0..count {
        assert_eq!(word(base - count + record), at);
        assert!(record == 0 || word(at) < record);
        (2..8).step_by(2).for_each(|i| span(at + i));
        let attributes = word(at + 8);
        (0..attributes * 3).for_each(|i| span(at + 9 + 2 * i));
        at += word(at + 1);
    }
    assert_eq!(at, packed.index.len());
}
