//! Rows below a table that are no records: totals, and who filled it in.

/// How such a row begins.
const BEGINNINGS: [&str; 17] = [
    "合计",
    "总计",
    "共计",
    "小计",
    "汇总",
    "填表人",
    "填报人",
    "制表人",
    "审核人",
    "填报单位",
    "填报日期",
    "制表日期",
    "备注：",
    "注：",
    "说明：",
    "total",
    "subtotal",
];

/// Whether a row whose first filled cell says this stands below the table. Only a row in which nothing says what happened, to whom
/// and when may be asked about: one that says any of it is a record with faults.
#[must_use]
pub fn below_the_table(first_cell: &str) -> bool {
    let cell = first_cell.trim().to_lowercase().replace([' ', '\u{3000}'], "").replace(':', "：");
    BEGINNINGS.iter().any(|beginning| match cell.strip_prefix(beginning) {
        // "合计12人", but no id that happens to begin with "total"
        Some(rest) => !beginning.is_ascii() || rest.is_empty() || rest.starts_with('：'),
        None => false,
    })
}

/// Whether a cell says how many there are, and so nothing of what happened, to whom or when.
#[must_use]
pub fn is_total(cell: &str) -> bool {
    const LONGEST: usize = 6;
    let (mut digits, mut counted) = (0, false);
    // asked of nearly every row, so nothing is copied: most cells are none at their first sign
    for sign in cell.chars() {
        match sign {
            ' ' | '\u{3000}' | '\u{a0}' | ',' | '，' => {}
            '0'..='9' if !counted && digits < LONGEST => digits += 1,
            '人' | '条' | '例' | '名' | '个' | '行' | '份' | '次' if digits > 0 => counted = true,
            _ => return false,
        }
    }
    digits > 0
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("合计", true)]
    #[case("合 计：12 人", true)]
    #[case("Total", true)]
    #[case("Total: 12", true)]
    #[case("填表人：", true)]
    #[case("注:以上均为密接", true)]
    #[case("total-17", false)]
    #[case("cdc-1", false)]
    #[case("注册", false)]
    #[case("", false)]
    fn totals_and_signatures_are_known(#[case] cell: &str, #[case] below: bool) {
        assert_eq!(below_the_table(cell), below);
    }

    #[rstest]
    #[case("3", true)]
    #[case(" 1,200 人", true)]
    #[case("12例", true)]
    #[case("", false)]
    #[case("人", false)]
    #[case("13800005678", false)]
    #[case("2026-11-02", false)]
    #[case("case", false)]
    fn a_number_of_rows_is_known(#[case] cell: &str, #[case] total: bool) {
        assert_eq!(is_total(cell), total);
    }
}
