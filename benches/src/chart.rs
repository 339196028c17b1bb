//! A curve over time as SVG: what a benchmark saw, to be looked at.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 60.0;

/// One curve of points (seconds, count), with axes from zero.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above the curve.
    pub title: String,
    /// What is counted.
    pub counted: &'static str,
    /// Ascending in time.
    pub points: Vec<(f64, f64)>,
    /// Vertical marks with their names, in seconds.
    pub marks: Vec<(f64, String)>,
}

impl Chart {
    /// The chart as a document.
    pub fn svg(&self) -> String {
        let furthest = |of: fn(&(f64, f64)) -> f64| self.points.iter().map(of).fold(1.0, f64::max);
        let marked = self.marks.iter().map(|(at, _)| *at).fold(0.0, f64::max);
        let (last, most) = (furthest(|point| point.0).max(marked), furthest(|point| point.1));
        let x = |seconds: f64| LEFT + seconds / last * (WIDTH - LEFT - RIGHT);
        let y = |count: f64| HEIGHT - BOTTOM - count / most * (HEIGHT - TOP - BOTTOM);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{}</text>\n",
            escaped(&self.title)
        );
        // writing to a string does not fail
        for step in ticks(most) {
            let at = y(step);
            let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/>", WIDTH - RIGHT);
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, at + 4.0, short(step));
        }
        for step in ticks(last) {
            let at = x(step);
            let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", HEIGHT - BOTTOM + 20.0, short(step));
        }
        for (at, name) in &self.marks {
            let at = x(*at);
            let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{:.1}\" stroke=\"#b00\" stroke-dasharray=\"4 3\"/>", HEIGHT - BOTTOM);
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#b00\">{}</text>",
                at - 6.0,
                TOP + 14.0,
                escaped(name)
            );
        }
        let path: Vec<String> = self.points.iter().map(|(seconds, count)| format!("{:.1},{:.1}", x(*seconds), y(*count))).collect();
        let _ = writeln!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>", path.join(" "));
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">seconds</text>", WIDTH - RIGHT, HEIGHT - 16.0);
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{:.1}\">{}</text>\n</svg>", TOP - 8.0, escaped(self.counted));
        svg
    }
}

/// Some five round steps up to `most`.
fn ticks(most: f64) -> Vec<f64> {
    let rough = most / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough).unwrap_or(rough);
    (0..).map(|at| f64::from(at) * step).take_while(|at| *at <= most).collect()
}

fn short(value: f64) -> String {
    if value >= 1e6 {
        format!("{} M", value / 1e6)
    } else if value >= 1e3 {
        format!("{} k", value / 1e3)
    } else {
        format!("{value}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(ticks(32_054_159.0), [0.0, 1e7, 2e7, 3e7]);
        assert_eq!(ticks(480.0), [0.0, 100.0, 200.0, 300.0, 400.0]);
        assert_eq!((short(2e7).as_str(), short(500.0).as_str()), ("20 M", "500"));
    }

    #[test]
    fn the_curve_begins_and_ends_at_the_corners_of_its_axes() {
        let chart = Chart { title: "a < b".to_owned(), counted: "people", points: vec![(0.0, 0.0), (10.0, 100.0)], marks: vec![] };
        let svg = chart.svg();
        assert!(svg.contains("points=\"90.0,360.0 870.0,50.0\"") && svg.contains("a &lt; b"), "{svg}");
    }
}
