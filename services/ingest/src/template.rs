//! The list that somebody fills in, as a workbook: one for each kind of record, with lists to choose from.

use axum::response::{IntoResponse as _, Response};
use domain::list::{Entry, TemplateColumn, kind_title, template};
use domain::risk_record::RecordKind;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use platform::http::{Problem, Query, Routes, routes};
use rust_xlsxwriter::{DataValidation, DataValidationErrorStyle, Format, FormatAlign, Formula, Workbook, Worksheet, XlsxError};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Error;
use crate::intake::Intake;
use crate::loads::READERS;

/// The sheet to fill in, how to, and what can be chosen.
const LIST: &str = "名单";
const ABOUT: &str = "填写说明";
const CHOICES: &str = "选项";
/// Rows that are prepared; more may be filled in.
const ROWS: u32 = 5_000;
const MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

pub(crate) fn routes() -> Routes<Intake> {
    Routes::new("records").allow(READERS, routes!(download))
}

/// For which records.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Their kind.
    kind: RecordKind,
}

/// A list to fill in
///
/// A workbook (xlsx) in Chinese for one kind of record: its columns, each with what can be chosen, and how it is filled in.
#[utoipa::path(get, path = "/api/v1/records/template", operation_id = "record_template", params(Asked), responses(
    (status = 200, description = "The workbook", content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))]
async fn download(Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let file = workbook(asked.kind).map_err(|source| Error::Template { source })?;
    let head = [(CONTENT_TYPE, MEDIA_TYPE.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.xlsx\"", asked.kind))];
    Ok((head, file).into_response())
}

fn workbook(kind: RecordKind) -> Result<Vec<u8>, XlsxError> {
    let columns = template(kind);
    let mut book = Workbook::new();
    let chosen = choices(&columns);
    list(book.add_worksheet().set_name(LIST)?, &columns, &chosen)?;
    about(book.add_worksheet().set_name(ABOUT)?, kind, &columns)?;
    let sheet = book.add_worksheet().set_name(CHOICES)?;
    for (column, (_, words)) in (0..).zip(&chosen) {
        sheet.write_column(0, column, words.iter().copied())?;
    }
    // the reader passes over what nobody sees
    sheet.set_hidden(true);
    book.save_to_buffer()
}

/// The columns with words to choose from, by their place among all, with the words.
fn choices(columns: &[TemplateColumn]) -> Vec<(usize, &[&'static str])> {
    let all = columns.iter().enumerate();
    all.filter_map(|(at, column)| if let Entry::OneOf(words) = &column.entry { Some((at, words.as_slice())) } else { None }).collect()
}

fn list(sheet: &mut Worksheet, columns: &[TemplateColumn], chosen: &[(usize, &[&'static str])]) -> Result<(), XlsxError> {
    let plain = Format::new().set_bold().set_background_color("E8EEF4").set_text_wrap().set_align(FormatAlign::VerticalCenter);
    let required = plain.clone().set_background_color("FBE3DF");
    // numbers of phones and documents are texts: a spreadsheet would round the long ones
    let text = Format::new().set_num_format("@");
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    for (at, column) in (0..).zip(columns) {
        sheet.write_with_format(0, at, column.name, if column.required { &required } else { &plain })?;
        let wide = if matches!(column.entry, Entry::OneOf(_)) { 14 } else { 20 };
        sheet.set_column_width(at, wide)?;
        sheet.set_column_format(at, if column.entry == Entry::Time { &time } else { &text })?;
    }
    for (place, (at, words)) in (0_u16..).zip(chosen) {
        let letter = rust_xlsxwriter::utility::column_number_to_name(place);
        let range = Formula::new(format!("='{CHOICES}'!${letter}$1:${letter}${}", words.len()));
        let at = u16::try_from(*at).unwrap_or(u16::MAX);
        let rule = DataValidation::new()
            .allow_list_formula(range)
            .set_error_title("请从列表中选择")?
            .set_error_message("此列只能填写列表中的内容。")?
            .set_error_style(DataValidationErrorStyle::Stop);
        sheet.add_data_validation(1, at, ROWS, at, &rule)?;
    }
    sheet.set_freeze_panes(1, 1)?;
    Ok(())
}

fn about(sheet: &mut Worksheet, kind: RecordKind, columns: &[TemplateColumn]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.write_with_format(0, 0, format!("{}报送名单：填写说明", kind_title(kind)), &bold)?;
    sheet.write(1, 0, "请在“名单”表中填写，一行一条。红色表头为必填。手机号、证件号码、场所三者填一项，说明是谁或哪里。")?;
    for (column, name) in (0..).zip(["表头", "是否必填", "怎样填写", "例如"]) {
        sheet.write_with_format(3, column, name, &bold)?;
    }
    for (row, column) in (4..).zip(columns) {
        sheet.write_with_format(row, 0, column.name, &wrapped)?;
        sheet.write_with_format(row, 1, if column.required { "必填" } else { "可不填" }, &wrapped)?;
        sheet.write_with_format(row, 2, column.about, &wrapped)?;
        sheet.write_with_format(row, 3, column.example, &wrapped)?;
    }
    for (column, wide) in [(0, 16), (1, 10), (2, 60), (3, 20)] {
        sheet.set_column_width(column, wide)?;
    }
    Ok(())
}
