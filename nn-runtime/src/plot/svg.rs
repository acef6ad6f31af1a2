//! Pictures as SVG. In: marks; out: the text of a file.

use core::fmt::{self, Display};
use std::format;
use std::string::String;
use std::vec::Vec;

use super::png::{base64, png};
use super::{Anchor, CURVE, Color, DOT, Mark, Picture};

impl Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Picture { width, height, marks } = self;
        writeln!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">"
        )?;
        marks.iter().try_for_each(|mark| write_mark(f, mark))?;
        f.write_str("</svg>\n")
    }
}

/// As a browser reads it.
fn hex([red, green, blue]: Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn write_mark(f: &mut fmt::Formatter<'_>, mark: &Mark) -> fmt::Result {
    match mark {
        Mark::Rectangle { at: [x, y, width, height], fill } => writeln!(
            f,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>",
            hex(*fill)
        ),
        Mark::Line { ends: [[x1, y1], [x2, y2]], color, dashed } => {
            let dashes = if *dashed { " stroke-dasharray=\"4 3\"" } else { "" };
            let color = hex(*color);
            writeln!(
                f,
                "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{color}\"{dashes}/>"
            )
        }
        Mark::Curve { points, color } => {
            let path: Vec<String> = points.iter().map(|[x, y]| format!("{x:.1},{y:.1}")).collect();
            writeln!(
                f,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>",
                path.join(" "),
                hex(*color),
                2.0 * CURVE
            )
        }
        Mark::Dot { at: [x, y], color } => {
            writeln!(f, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{DOT}\" fill=\"{}\"/>", hex(*color))
        }
        Mark::Text { at: [x, y], size, anchor, color, text, upright } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            // What no file of XML may hold.
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            let color = hex(*color);
            let turned = if *upright { format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"") } else { String::new() };
            writeln!(
                f,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\"{turned}>\
                 {text}</text>"
            )
        }
        Mark::Image { at: [x, y, w, h], pixels, shape: [height, width, channels] } => {
            let data = base64(&png(pixels, *width, *height, *channels));
            writeln!(
                f,
                "<image x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" style=\"image-rendering: pixelated\" \
                 href=\"data:image/png;base64,{data}\"/>"
            )
        }
    }
}
