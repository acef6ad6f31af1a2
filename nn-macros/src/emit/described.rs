//! What rustdoc shows of a network beside what was written about it: a drawing, and a table of its layers.
//! In: the graph; out: attributes that documentation alone reads. Names and calls as they were written, no
//! number.

use proc_macro2::TokenStream;
use quote::quote;

use crate::graph::{Graph, Site};
use crate::parse::pretty::pretty;

/// Sizes of a box, and what lies between the middles of two rows; the width of a letter.
const HEIGHT: usize = 24;
const ROW: usize = 48;
const GAP: usize = 24;
const LETTER: usize = 8;

/// ```text
/// #[cfg_attr(doc, doc = "<svg …", doc = "", doc = "| layer | … |")]
/// ```
pub fn attributes(graph: &Graph) -> TokenStream {
    let (drawing, table) = (drawing(graph), table(graph));
    // What is written within an element ends at an empty line.
    quote!(#[cfg_attr(doc, doc = #drawing, doc = "", doc = #table)])
}

/// A row for each layer, and where the numbers are.
fn table(graph: &Graph) -> String {
    let mut text = String::from("| layer | | reads |\n|---|---|---|\n");
    // By value: who writes it.
    let mut written = vec![""; graph.values];
    graph.inputs.iter().zip(&mut written).for_each(|(port, written)| *written = &port.name);
    for site in graph.sites() {
        let frozen = if site.frozen { "frozen " } else { "" };
        let reads = site.x.iter().map(|&value| format!("`{}`", written[value])).collect::<Vec<_>>().join(", ");
        written[site.y..site.y + site.made].fill(&site.name);
        // A bar would end the cell.
        let call = call(site).replace('|', "\\|");
        text += &format!("| `{}` | {frozen}`{call}` | {reads} |\n", site.name);
    }
    let name = &graph.header.name;
    text + &format!("\n`{name}::summary()` tells what each gives, and its parameters, multiply-adds and bytes.\n")
}

/// The layer as it was written, or whose parameters it uses.
fn call(site: &Site) -> String {
    match &site.shares {
        Some(shared) => format!("share({})", shared.label),
        None => {
            let (path, args) = (&site.layer.path, site.layer.args.as_ref().map(|args| &args.group));
            let times = site.times().map(|times| quote!(* #times));
            pretty(&quote!(#path #args #times))
        }
    }
}

/// A layer, an input or an output in the drawing.
struct Drawn {
    text: String,
    row: usize,
    /// How much of its row is left of it.
    left: usize,
    /// Who writes what it reads.
    from: Vec<usize>,
}

impl Drawn {
    fn width(&self) -> usize {
        self.text.chars().count() * LETTER + 16
    }
}

/// Who comes after all that it reads, in rows, and how wide each row is.
fn rows(graph: &Graph) -> (Vec<Drawn>, Vec<usize>) {
    let (mut all, mut widths) = (Vec::<Drawn>::new(), Vec::<usize>::new());
    // By value: who writes it.
    let mut written = vec![0; graph.values];
    let mut add = |text: String, from: Vec<usize>| {
        let row = from.iter().map(|&other| all[other].row + 1).max().unwrap_or(0);
        if row == widths.len() {
            widths.push(0);
        }
        let drawn = Drawn { text, row, left: widths[row], from };
        widths[row] += drawn.width() + GAP;
        all.push(drawn);
        all.len() - 1
    };
    for (value, port) in graph.inputs.iter().enumerate() {
        written[value] = add(format!("{} {}", port.name, pretty(&shape(port.shape))), Vec::new());
    }
    for site in graph.sites() {
        let drawn = add(call(site), site.x.iter().map(|&value| written[value]).collect());
        written[site.y..site.y + site.made].fill(drawn);
    }
    for (port, &value) in graph.outputs.iter().zip(&graph.results) {
        add(format!("{} {}", port.name, pretty(&shape(port.shape))), vec![written[value]]);
    }
    (all, widths)
}

fn shape(group: &proc_macro2::Group) -> TokenStream {
    proc_macro2::TokenTree::Group(group.clone()).into()
}

/// Boxes and arrows, in the color of the text around.
fn drawing(graph: &Graph) -> String {
    let (all, widths) = rows(graph);
    let last = widths.len() - 1;
    let width = widths.iter().copied().max().unwrap_or(0);
    // The middle of each, rows in the middle of the drawing.
    let middle = |drawn: &Drawn| {
        let left = (width - widths[drawn.row]) / 2 + drawn.left;
        (left + (drawn.width() + GAP) / 2, drawn.row * ROW + HEIGHT / 2 + 1)
    };
    // Arrows that pass by other rows go around them.
    let around = all.iter().any(|drawn| drawn.from.iter().any(|&from| all[from].row + 1 < drawn.row));
    let (full, height) = (width + if around { 2 * GAP } else { 0 }, last * ROW + HEIGHT + 2);
    let mut text = format!(
        "<div>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{full}\" height=\"{height}\" viewBox=\"0 0 {full} {height}\" \
         style=\"max-width: 100%\" font-family=\"monospace\" font-size=\"13\" fill=\"none\" stroke=\"currentColor\">"
    );
    for drawn in &all {
        let (x, y) = middle(drawn);
        let (left, top) = (x - drawn.width() / 2, y - HEIGHT / 2);
        for &from in &drawn.from {
            let (from_x, from_y) = middle(&all[from]);
            let (begin, end) = (from_y + HEIGHT / 2, top - 5);
            text += &match all[from].row + 1 == drawn.row {
                true => format!("<path d=\"M{from_x} {begin} L{x} {end}"),
                false => {
                    // Between rows to the side, down, and back.
                    let (side, bend) = (width + GAP / 2, ROW - HEIGHT);
                    format!(
                        "<path d=\"M{from_x} {begin} C{side} {begin} {side} {begin} {side} {} L{side} {} C{side} {end} {side} {end} {x} {end}",
                        begin + bend,
                        end - bend
                    )
                }
            };
            text += " m-3 -2 l3 6 l3 -6\"/>";
        }
        let ends = if drawn.from.is_empty() || drawn.row == last { HEIGHT / 2 } else { 3 };
        text +=
            &format!("<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{HEIGHT}\" rx=\"{ends}\"/>", drawn.width());
        let escaped = drawn.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text += &format!(
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\">{escaped}</text>",
            y + 4
        );
    }
    text + "</svg>\n</div>"
}
