//! Plots as SVG.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::ReportError;
use crate::training::Epoch;

/// A panel of a plot over time: components of the state that share an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panel {
    /// The quantity, with its unit.
    pub label: &'static str,
    /// The components of the state, each with its name.
    pub curves: &'static [(usize, &'static str)],
    /// The quantity is the state times this.
    pub scale: f64,
}

/// Data and prediction over time, one panel below the other, as an SVG file. Rows are states.
///
/// # Errors
/// [`ReportError::Plot`].
pub fn prediction_plot(
    panels: &[Panel],
    times: &[f64],
    data: &[&[f64]],
    prediction: &[&[f64]],
) -> Result<String, ReportError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        let draw = || -> Result<(), Failure> {
            area.fill(&WHITE)?;
            for (i, (panel, area)) in
                panels.iter().zip(area.split_evenly((panels.len(), 1))).enumerate()
            {
                let last = i + 1 == panels.len();
                draw_panel(&area, panel, times, data, prediction, last)?;
            }
            area.present()?;
            Ok(())
        };
        draw().map_err(failed("prediction.svg"))?;
    }
    Ok(svg)
}

/// The loss over the iterations on a logarithmic scale, as an SVG file.
///
/// # Errors
/// [`ReportError::Plot`].
pub fn loss_plot(epochs: &[Epoch]) -> Result<String, ReportError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT / 2)).into_drawing_area();
        let drawn = draw_loss(&area, epochs).and_then(|()| Ok(area.present()?));
        drawn.map_err(failed("loss.svg"))?;
    }
    Ok(svg)
}

const WIDTH: u32 = 900;
const HEIGHT: u32 = 760;
const COLOURS: [RGBColor; 4] =
    [RGBColor(31, 95, 168), RGBColor(214, 106, 20), RGBColor(44, 140, 88), RGBColor(130, 70, 150)];
const GRID: RGBColor = RGBColor(225, 225, 225);
const INK: RGBColor = RGBColor(60, 60, 60);
/// Where the curves begin, in pixels from the left.
const LEFT: i32 = 88;
/// The height of a legend in pixels.
const LEGEND: i32 = 32;
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

fn draw_panel(
    area: &Area<'_>,
    panel: &Panel,
    times: &[f64],
    data: &[&[f64]],
    prediction: &[&[f64]],
    last: bool,
) -> Result<(), Failure> {
    let values = |rows: &[&[f64]], component: usize| -> Vec<(f64, f64)> {
        let point = |(t, row): (&f64, &&[f64])| (*t, panel.scale * row[component]);
        times.iter().zip(rows).map(point).collect()
    };
    let all = panel.curves.iter().flat_map(|(component, _)| {
        [values(data, *component), values(prediction, *component)].into_iter().flatten()
    });
    let range = padded(all.map(|point| point.1));
    let (legend, area) = area.split_vertically(LEGEND);
    let time = times.first().copied().unwrap_or(0.0)..times.last().copied().unwrap_or(1.0);
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .margin_top(4)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, LEFT - 14)
        .set_label_area_size(LabelAreaPosition::Bottom, if last { 48 } else { 28 })
        .build_cartesian_2d(time, range)?;
    let mut mesh = chart.configure_mesh();
    if last {
        mesh.x_desc("time (s)");
    }
    mesh.y_desc(panel.label)
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 15).into_font().color(&INK))
        .axis_desc_style((FONT, 17).into_font().color(&INK))
        .draw()?;
    let mut entries = Vec::new();
    for ((component, name), colour) in panel.curves.iter().zip(COLOURS) {
        let (faint, bold) = (colour.mix(0.4), colour.stroke_width(2));
        let dot = |point| Circle::new(point, 2, faint.filled());
        chart.draw_series(values(data, *component).into_iter().map(dot))?;
        chart.draw_series(LineSeries::new(values(prediction, *component), bold))?;
        entries.push((format!("{name} data"), Mark::Dots(faint)));
        entries.push((format!("{name} prediction"), Mark::Line(bold)));
    }
    draw_legend(&legend, &entries)
}

fn draw_loss(area: &Area<'_>, epochs: &[Epoch]) -> Result<(), Failure> {
    area.fill(&WHITE)?;
    // A logarithmic axis has no place for a loss of 0 or for one that is not finite.
    let points: Vec<(f64, f64)> = epochs
        .iter()
        .filter(|epoch| epoch.loss > 0.0 && epoch.loss.is_finite())
        .map(|epoch| (epoch.epoch as f64, epoch.loss))
        .collect();
    let best = points.iter().scan(f64::INFINITY, |best, (epoch, loss)| {
        *best = best.min(*loss);
        Some((*epoch, *best))
    });
    let decades = points.iter().map(|point| point.1.log10());
    let (low, high) = bounds(decades).unwrap_or((-1.0, 0.0));
    let range = 10f64.powf(low - 0.1)..10f64.powf(high + 0.1);
    // The ticks that plotters chooses crowd at one end and leave the other bare.
    let ticks = logarithmic_ticks(&range);
    let (legend, area) = area.split_vertically(LEGEND);
    let end = points.last().map_or(2.0, |point| point.0).max(2.0);
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .margin_top(4)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, LEFT - 14)
        .set_label_area_size(LabelAreaPosition::Bottom, 48)
        .build_cartesian_2d(1.0..end, range.log_scale().with_key_points(ticks))?;
    chart
        .configure_mesh()
        .x_desc("iteration")
        .y_desc("mean squared error")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|loss| format!("{loss:e}"))
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style((FONT, 15).into_font().color(&INK))
        .axis_desc_style((FONT, 17).into_font().color(&INK))
        .draw()?;
    let (faint, bold) = (COLOURS[0].mix(0.6).stroke_width(1), COLOURS[1].stroke_width(2));
    chart.draw_series(LineSeries::new(points.iter().copied(), faint))?;
    chart.draw_series(LineSeries::new(best, bold))?;
    let entries =
        [("loss".to_owned(), Mark::Line(faint)), ("best so far".to_owned(), Mark::Line(bold))];
    draw_legend(&legend, &entries)
}

/// How a curve is drawn.
enum Mark {
    Dots(RGBAColor),
    Line(ShapeStyle),
}

/// A row of names, each after its mark: beside the curves, so that it hides none.
fn draw_legend(area: &Area<'_>, entries: &[(String, Mark)]) -> Result<(), Failure> {
    let text = (FONT, 15).into_font().color(&INK);
    for ((name, mark), x) in entries.iter().zip((LEFT..).step_by(150)) {
        match mark {
            Mark::Dots(colour) => {
                for dx in [3, 10, 17] {
                    area.draw(&Circle::new((x + dx, 20), 2, colour.filled()))?;
                }
            }
            Mark::Line(style) => area.draw(&PathElement::new([(x, 20), (x + 20, 20)], *style))?,
        }
        area.draw_text(name, &text, (x + 28, 12))?;
    }
    Ok(())
}

/// Round numbers within a range: the powers of ten where it spans several, finer ones where it does not.
fn logarithmic_ticks(range: &Range<f64>) -> Vec<f64> {
    let (low, high) = (range.start.log10(), range.end.log10());
    let decades = high - low;
    let mantissas: &[f64] = if decades > 3.0 {
        &[1.0]
    } else if decades > 1.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]
    };
    // More labels than this overlap.
    let every = (decades / 12.0).ceil().max(1.0) as usize;
    let exponents = (low.floor() as i32..=high.ceil() as i32).step_by(every);
    // The number nearest to the decimal, so that its label is the decimal.
    let decimal = |(mantissa, exponent)| format!("{mantissa}e{exponent}").parse().ok();
    exponents
        .flat_map(|exponent| mantissas.iter().map(move |mantissa| (mantissa, exponent)))
        .filter_map(decimal)
        .filter(|tick| range.contains(tick))
        .collect()
}

/// The range of the values with a margin.
fn padded(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = bounds(values).unwrap_or((0.0, 1.0));
    let margin = if high > low { 0.06 * (high - low) } else { 1.0 };
    low - margin..high + margin
}

fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|value| value.is_finite()).fold(None, |bounds, value| {
        let (low, high) = bounds.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

fn failed(name: &'static str) -> impl FnOnce(Failure) -> ReportError {
    move |error| ReportError::Plot { name, problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::logarithmic_ticks;

    fn labels(low: f64, high: f64) -> Vec<String> {
        logarithmic_ticks(&(low..high)).iter().map(|tick| format!("{tick:e}")).collect()
    }

    #[test]
    fn logarithmic_ticks_are_few_and_round() {
        assert_eq!(labels(1.2e-5, 2.0), ["1e-4", "1e-3", "1e-2", "1e-1", "1e0"]);
        assert_eq!(labels(0.011, 0.8), ["2e-2", "5e-2", "1e-1", "2e-1", "5e-1"]);
        assert_eq!(labels(0.21, 0.34), ["3e-1"]);
        assert_eq!(labels(0.9, 1.6), ["1e0", "1.5e0"]);
        assert!(labels(1e-300, 1e300).len() <= 13);
    }
}
