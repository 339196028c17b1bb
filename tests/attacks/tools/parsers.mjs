// Every parser under random input: the properties of the crates, with more cases than `make test` plays.

import { run } from './tool.mjs';

const CRATES = ['domain', 'ingest', 'sms', 'push', 'platform'];
/** Records, lists, workbooks, conditions, templates, PDUs, receipts and replies, tokens and cookies, what providers answer, what people type. */
const PROPERTIES = [
  'makes_the_parser_panic', 'make_the_parser_panic', 'makes_the_reader_panic', 'makes_the_hash_parser_panic', 'makes_the_reader_of_tokens_panic',
  'foreign_bytes_are_refused_without_panic', 'any_text_is_a_condition_or_refused_with_a_position', 'every_text_is_a_template_or_has_a_fault_inside_it',
  'any_text_is_read_or_refused', 'a_row_with_a_piece_replaced_is_stored_or_refused_with_a_reason', 'utf16_is_read_however_it_arrives',
  'any_table_is_the_same_records_in_every_writing', 'no_change_to_a_workbook_makes_the_reader_panic',
];

export async function fuzzed(cases) {
  const program = process.env.CARGO ?? 'cargo';
  process.env.PROPTEST_CASES = String(cases);
  const options = ['test', '--locked', ...CRATES.flatMap((crate) => ['-p', crate]), '--', ...PROPERTIES];
  const { said, code } = await run(program, options, { seconds: 1800 });
  const passed = [...said.matchAll(/(\d+) passed; (\d+) failed/g)];
  const properties = passed.reduce((sum, [, ok]) => sum + Number(ok), 0);
  const failed = passed.reduce((sum, [, , bad]) => sum + Number(bad), 0);
  if (properties === 0) throw new Error(`no parser was tried:\n${said.slice(-4000)}`);
  if (code !== 0) console.log(said.slice(-8000));
  return { properties, inputs: properties * cases, failed };
}
