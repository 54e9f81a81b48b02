//! Long answers cut to what the client takes.

use super::session::{Sending, Session};
use crate::Data;
use crate::apdu::{ActionError, ActionOutcome, ActionResponse, Apdu, DataAccessError, GetResponse, InvokeId};

/// Bytes of a block response before its contents: tag, choice, invoke id, last, number, choice and length.
const HEAD: usize = 14;

/// How long an answer may be, and whether it may come in blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes of a plain APDU, the envelope already taken off.
    pub(super) bytes: usize,
    /// Block transfer with get was agreed.
    pub(super) get_blocks: bool,
    /// Block transfer with action was agreed.
    pub(super) action_blocks: bool,
}

impl Room {
    pub(super) fn get(
        self,
        session: &mut Session,
        invoke: InvokeId,
        result: Result<Data, DataAccessError>,
    ) -> GetResponse {
        let value = match result {
            Err(error) => return GetResponse::Normal { invoke, result: Err(error) },
            Ok(value) => value,
        };
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        if bytes.len() + 4 <= self.bytes {
            return GetResponse::Normal { invoke, result: Ok(value) };
        }
        if !self.get_blocks {
            return GetResponse::Normal { invoke, result: Err(DataAccessError::OtherReason) };
        }
        session.sending = Some(Sending { invoke, bytes, at: 0, block: 0, of_action: false });
        self.get_block(session)
    }

    pub(super) fn get_list(
        self,
        session: &mut Session,
        invoke: InvokeId,
        results: Vec<Result<Data, DataAccessError>>,
    ) -> GetResponse {
        let response = GetResponse::WithList { invoke, results };
        let whole = Apdu::GetResponse(response.clone()).encode();
        if whole.len() <= self.bytes {
            return response;
        }
        if !self.get_blocks {
            let GetResponse::WithList { results, .. } = response else { return response };
            let results = results.iter().map(|_| Err(DataAccessError::OtherReason)).collect();
            return GetResponse::WithList { invoke, results };
        }
        // What goes into the blocks begins behind tag, choice and invoke id.
        let bytes = whole.get(3..).unwrap_or_default().to_vec();
        session.sending = Some(Sending { invoke, bytes, at: 0, block: 0, of_action: false });
        self.get_block(session)
    }

    /// `block` is the number of the block the client got last.
    pub(super) fn next_of_get(self, session: &mut Session, invoke: InvokeId, block: u32) -> GetResponse {
        let refuse = |error| GetResponse::Block { invoke, last: true, block, result: Err(error) };
        match session.sending.take() {
            Some(long) if long.of_action => refuse(DataAccessError::NoLongGetInProgress),
            Some(long) if long.block != block => refuse(DataAccessError::DataBlockNumberInvalid),
            Some(long) => {
                session.sending = Some(Sending { invoke, ..long });
                self.get_block(session)
            }
            None => refuse(DataAccessError::NoLongGetInProgress),
        }
    }

    fn get_block(self, session: &mut Session) -> GetResponse {
        match self.cut(session) {
            Some((invoke, last, block, bytes)) => {
                GetResponse::Block { invoke, last, block, result: Ok(bytes) }
            }
            None => GetResponse::Block {
                invoke: InvokeId(0),
                last: true,
                block: 0,
                result: Err(DataAccessError::NoLongGetInProgress),
            },
        }
    }

    pub(super) fn action(
        self,
        session: &mut Session,
        invoke: InvokeId,
        outcome: ActionOutcome,
    ) -> ActionResponse {
        self.action_response(session, invoke, ActionResponse::Normal { invoke, outcome })
    }

    pub(super) fn action_list(
        self,
        session: &mut Session,
        invoke: InvokeId,
        outcomes: Vec<ActionOutcome>,
    ) -> ActionResponse {
        self.action_response(session, invoke, ActionResponse::WithList { invoke, outcomes })
    }

    fn action_response(
        self,
        session: &mut Session,
        invoke: InvokeId,
        response: ActionResponse,
    ) -> ActionResponse {
        let whole = Apdu::ActionResponse(response.clone()).encode();
        if whole.len() <= self.bytes {
            return response;
        }
        if !self.action_blocks {
            return refused(invoke, ActionError::OtherReason);
        }
        let bytes = whole.get(3..).unwrap_or_default().to_vec();
        session.sending = Some(Sending { invoke, bytes, at: 0, block: 0, of_action: true });
        self.action_block(session, invoke)
    }

    /// `block` is the number of the block the client got last.
    pub(super) fn next_of_action(
        self,
        session: &mut Session,
        invoke: InvokeId,
        block: u32,
    ) -> ActionResponse {
        match session.sending.take() {
            Some(long) if long.of_action && long.block == block => {
                session.sending = Some(Sending { invoke, ..long });
                self.action_block(session, invoke)
            }
            Some(_) => refused(invoke, ActionError::LongActionAborted),
            None => refused(invoke, ActionError::NoLongActionInProgress),
        }
    }

    fn action_block(self, session: &mut Session, invoke: InvokeId) -> ActionResponse {
        match self.cut(session) {
            Some((invoke, last, block, bytes)) => ActionResponse::Block { invoke, last, block, bytes },
            None => refused(invoke, ActionError::NoLongActionInProgress),
        }
    }

    /// The next piece of what is being sent; forgets it with the last piece.
    fn cut(self, session: &mut Session) -> Option<(InvokeId, bool, u32, Vec<u8>)> {
        let long = session.sending.as_mut()?;
        let room = self.bytes.saturating_sub(HEAD).max(1);
        let end = (long.at + room).min(long.bytes.len());
        let piece = long.bytes.get(long.at..end)?.to_vec();
        long.at = end;
        long.block += 1;
        let (invoke, block, last) = (long.invoke, long.block, end == long.bytes.len());
        if last {
            session.sending = None;
        }
        Some((invoke, last, block, piece))
    }
}

const fn refused(invoke: InvokeId, error: ActionError) -> ActionResponse {
    ActionResponse::Normal { invoke, outcome: ActionOutcome { result: Err(error), value: None } }
}
