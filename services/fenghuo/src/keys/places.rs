//! Where sealed values lie.

use platform::crypto::Purpose;
use platform::crypto::rotation::Place;

const fn place(table: &'static str, column: &'static str, purpose: Purpose) -> Place {
    Place { table, column, purpose }
}

/// Every column that holds sealed values for longer than a message is on its way. A test holds this against the tables.
pub(super) const PLACES: &[Place] = &[
    place("resident.resident", "phone_sealed", Purpose::ResidentPhone),
    place("resident.resident", "name_sealed", Purpose::ResidentName),
    place("resident.number_change", "phone_sealed", Purpose::ResidentPhone),
    place("resident.device", "token_sealed", Purpose::PushToken),
    place("resident.feedback", "text_sealed", Purpose::Feedback),
    place("resident.feedback", "answer_sealed", Purpose::Feedback),
    place("resident.feedback", "phone_sealed", Purpose::ResidentPhone),
    place("ingest.refused_row", "row_sealed", Purpose::RefusedRow),
    place("ingest.held_block", "block_sealed", Purpose::WaitingRows),
    place("ingest.upload_piece", "piece_sealed", Purpose::UploadPiece),
    place("identity.factor", "sealed", Purpose::FactorSecret),
    place("identity.proposal", "secret_half", Purpose::SecretHalf),
    place("casework.matter", "facts_sealed", Purpose::CaseText),
    place("casework.matter", "name_sealed", Purpose::CaseName),
    place("casework.matter", "phone_sealed", Purpose::ResidentPhone),
    place("casework.matter", "result_sealed", Purpose::CaseText),
    place("casework.matter", "answer_sealed", Purpose::CaseText),
    place("casework.statement", "text_sealed", Purpose::CaseText),
    place("casework.work_order", "task_sealed", Purpose::CaseText),
    place("casework.work_order", "ground_sealed", Purpose::CaseText),
    place("audit.signing_key", "sealed", Purpose::AuditSigningKey),
];
