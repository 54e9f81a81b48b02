//! Requests and their answers, long ones in blocks.

use super::event::{Outcome, PeerFault, Request, RequestFault, RequestId};
use super::{Client, ClientError, ClientEvent, ENVELOPE, Protection};
use crate::Data;
use crate::acse::Conformance;
use crate::apdu::{
    ActionOutcome, ActionRequest, ActionResponse, Apdu, AttributeRef, DataAccessError, GetRequest,
    GetResponse, InvokeId, Selection, SetRequest, SetResponse,
};
use crate::wire::DecodeError;

/// Bytes of a block request before its contents, the named attributes apart.
const HEAD: usize = 16;

/// What kind of answer is awaited, lists with their length.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Get,
    GetList(usize),
    Set,
    SetList(usize),
    Action,
    ActionList(usize),
}

/// The rest of a long request.
#[derive(Debug)]
struct Upload {
    bytes: Vec<u8>,
    at: usize,
    block: u32,
    room: usize,
}

impl Upload {
    /// The next piece: whether it is the last, its number, its bytes.
    fn cut(&mut self) -> (bool, u32, Vec<u8>) {
        let end = (self.at + self.room).min(self.bytes.len());
        let piece = self.bytes.get(self.at..end).unwrap_or_default().to_vec();
        self.at = end;
        self.block += 1;
        (end == self.bytes.len(), self.block, piece)
    }
}

/// A request ready to go.
#[derive(Debug)]
pub(super) struct Waiting {
    id: RequestId,
    kind: Kind,
    invoke: InvokeId,
    apdu: Apdu,
    upload: Option<Upload>,
}

/// The request on its way.
#[derive(Debug)]
pub(super) struct Running {
    id: RequestId,
    kind: Kind,
    invoke: InvokeId,
    upload: Option<Upload>,
    collected: Vec<u8>,
    block: u32,
}

impl Running {
    pub(super) const fn id(&self) -> RequestId {
        self.id
    }
}

impl Client {
    pub(super) fn start_next(&mut self) -> Result<(), ClientError> {
        if self.running.is_some() {
            return Ok(());
        }
        let Some(Waiting { id, kind, invoke, apdu, upload }) = self.queue.pop_front() else { return Ok(()) };
        self.send(&apdu)?;
        self.running = Some(Running { id, kind, invoke, upload, collected: Vec::new(), block: 0 });
        Ok(())
    }

    pub(super) fn build(&mut self, id: RequestId, request: Request) -> Result<Waiting, ClientError> {
        // Confirmed service, high priority: what every meter takes.
        let invoke = InvokeId::confirmed(self.next_invoke);
        let (kind, apdu, upload) = self.encode(invoke, request)?;
        self.next_invoke = (self.next_invoke + 1) & 0x0F;
        Ok(Waiting { id, kind, invoke, apdu, upload })
    }

    /// Bytes of the longest plain APDU the meter takes.
    fn room(&self) -> usize {
        let most = match self.peer_max_pdu {
            0 => usize::from(u16::MAX),
            most => usize::from(most),
        };
        if self.config.protection == Protection::None { most } else { most.saturating_sub(ENVELOPE) }
    }

    fn encode(
        &self,
        invoke: InvokeId,
        request: Request,
    ) -> Result<(Kind, Apdu, Option<Upload>), ClientError> {
        match request {
            Request::Get(attribute, selection) => {
                let apdu = Apdu::GetRequest(GetRequest::Normal { invoke, attribute, selection });
                Ok((Kind::Get, self.fitting(apdu)?, None))
            }
            Request::GetList(attributes) => {
                let kind = Kind::GetList(attributes.len());
                let apdu = Apdu::GetRequest(GetRequest::WithList { invoke, attributes });
                Ok((kind, self.fitting(apdu)?, None))
            }
            Request::Set(attribute, selection, value) => self.build_set(invoke, attribute, selection, value),
            Request::SetList(list) => self.build_set_list(invoke, list),
            Request::Action(method, parameters) => {
                let whole = Apdu::ActionRequest(ActionRequest::Normal {
                    invoke,
                    method,
                    parameters: parameters.clone(),
                });
                let (Some(value), false) = (parameters, self.fits(&whole)) else {
                    return Ok((Kind::Action, self.fitting(whole)?, None));
                };
                let mut upload = self.upload(encoded(&[value], false), 1, Conformance::BLOCK_ACTION)?;
                let (last, block, bytes) = upload.cut();
                let first = ActionRequest::FirstBlock { invoke, method, last, block, bytes };
                Ok((Kind::Action, Apdu::ActionRequest(first), Some(upload)))
            }
            Request::ActionList(list) => {
                let kind = Kind::ActionList(list.len());
                let (methods, parameters): (Vec<_>, Vec<_>) =
                    list.into_iter().map(|(method, value)| (method, value.unwrap_or(Data::Null))).unzip();
                let bytes = encoded(&parameters, true);
                let whole = Apdu::ActionRequest(ActionRequest::WithList {
                    invoke,
                    methods: methods.clone(),
                    parameters,
                });
                if self.fits(&whole) {
                    return Ok((kind, whole, None));
                }
                let mut upload = self.upload(bytes, methods.len(), Conformance::BLOCK_ACTION)?;
                let (last, block, bytes) = upload.cut();
                let first = ActionRequest::WithListFirstBlock { invoke, methods, last, block, bytes };
                Ok((kind, Apdu::ActionRequest(first), Some(upload)))
            }
        }
    }

    fn build_set(
        &self,
        invoke: InvokeId,
        attribute: AttributeRef,
        selection: Option<Selection>,
        value: Data,
    ) -> Result<(Kind, Apdu, Option<Upload>), ClientError> {
        let normal =
            SetRequest::Normal { invoke, attribute, selection: selection.clone(), value: value.clone() };
        let whole = Apdu::SetRequest(normal);
        if self.fits(&whole) {
            return Ok((Kind::Set, whole, None));
        }
        let mut upload = self.upload(encoded(&[value], false), 1, Conformance::BLOCK_SET)?;
        let (last, block, bytes) = upload.cut();
        let first = SetRequest::FirstBlock { invoke, attribute, selection, last, block, bytes };
        Ok((Kind::Set, Apdu::SetRequest(first), Some(upload)))
    }

    fn build_set_list(
        &self,
        invoke: InvokeId,
        list: Vec<(AttributeRef, Option<Selection>, Data)>,
    ) -> Result<(Kind, Apdu, Option<Upload>), ClientError> {
        let kind = Kind::SetList(list.len());
        let (attributes, values): (Vec<_>, Vec<_>) =
            list.into_iter().map(|(attribute, selection, value)| ((attribute, selection), value)).unzip();
        let bytes = encoded(&values, true);
        let whole = Apdu::SetRequest(SetRequest::WithList { invoke, attributes: attributes.clone(), values });
        if self.fits(&whole) {
            return Ok((kind, whole, None));
        }
        let mut upload = self.upload(bytes, attributes.len(), Conformance::BLOCK_SET)?;
        let (last, block, bytes) = upload.cut();
        let first = SetRequest::FirstBlockWithList { invoke, attributes, last, block, bytes };
        Ok((kind, Apdu::SetRequest(first), Some(upload)))
    }

    fn fits(&self, apdu: &Apdu) -> bool {
        apdu.encode().len() <= self.room()
    }

    fn fitting(&self, apdu: Apdu) -> Result<Apdu, ClientError> {
        let length = apdu.encode().len();
        if length <= self.room() {
            return Ok(apdu);
        }
        Err(RequestFault::TooLong { length, max_pdu: self.peer_max_pdu }.into())
    }

    /// A long request in pieces, if the meter takes pieces; the first has to hold `named` references too.
    fn upload(&self, bytes: Vec<u8>, named: usize, needs: Conformance) -> Result<Upload, ClientError> {
        let head = HEAD + named * 11;
        if !self.conformance.has(needs) || self.room() <= head {
            return Err(RequestFault::TooLong { length: bytes.len(), max_pdu: self.peer_max_pdu }.into());
        }
        Ok(Upload { bytes, at: 0, block: 0, room: self.room() - head })
    }

    pub(super) fn finish(&mut self, id: RequestId, outcome: Outcome) -> Result<(), ClientError> {
        self.running = None;
        self.events.push_back(ClientEvent::Response { id, outcome });
        self.start_next()
    }

    /// The request that `invoke` answers, taken out until it is put back.
    fn answered(&mut self, invoke: InvokeId) -> Result<Running, ClientError> {
        match self.running.take() {
            Some(running) if running.invoke.id() == invoke.id() => Ok(running),
            _ => Err(PeerFault::Unexpected("it answers another invoke id").into()),
        }
    }

    pub(super) fn handle_get(&mut self, response: GetResponse) -> Result<(), ClientError> {
        match response {
            GetResponse::Normal { invoke, result } => {
                let running = self.answered(invoke)?;
                match (running.kind, result) {
                    (Kind::Get, result) => self.finish(running.id, Outcome::Get(result)),
                    (Kind::GetList(count), Err(error)) => {
                        self.finish(running.id, Outcome::GetList(vec![Err(error); count]))
                    }
                    _ => Err(PeerFault::Unexpected("a single value answers something else").into()),
                }
            }
            GetResponse::WithList { invoke, results } => {
                let running = self.answered(invoke)?;
                self.finish_get_list(&running, results)
            }
            GetResponse::Block { invoke, last, block, result } => {
                let mut running = self.answered(invoke)?;
                let bytes = match result {
                    Ok(bytes) => bytes,
                    Err(error) => return self.finish_get_error(&running, error),
                };
                self.collect(&mut running, block, &bytes)?;
                if !last {
                    self.running = Some(running);
                    return self.send(&Apdu::GetRequest(GetRequest::Next { invoke, block }));
                }
                match running.kind {
                    Kind::Get => match Data::decode_all(&running.collected) {
                        Ok(value) => self.finish(running.id, Outcome::Get(Ok(value))),
                        Err(why) => Err(malformed(&running.collected, why)),
                    },
                    _ => {
                        let whole = rejoined(0xC4, invoke, &running.collected);
                        match Apdu::decode(&whole) {
                            Ok(Apdu::GetResponse(GetResponse::WithList { results, .. })) => {
                                self.finish_get_list(&running, results)
                            }
                            Ok(_) => Err(PeerFault::Unexpected("blocks that hold no list").into()),
                            Err(why) => Err(malformed(&running.collected, why)),
                        }
                    }
                }
            }
        }
    }

    fn finish_get_error(&mut self, running: &Running, error: DataAccessError) -> Result<(), ClientError> {
        match running.kind {
            Kind::Get => self.finish(running.id, Outcome::Get(Err(error))),
            Kind::GetList(count) => self.finish(running.id, Outcome::GetList(vec![Err(error); count])),
            _ => Err(PeerFault::Unexpected("a get response answers something else").into()),
        }
    }

    fn finish_get_list(
        &mut self,
        running: &Running,
        results: Vec<Result<Data, DataAccessError>>,
    ) -> Result<(), ClientError> {
        match running.kind {
            Kind::GetList(asked) if asked == results.len() => {
                self.finish(running.id, Outcome::GetList(results))
            }
            Kind::GetList(asked) => Err(PeerFault::Count { asked, got: results.len() }.into()),
            _ => Err(PeerFault::Unexpected("a list of values answers something else").into()),
        }
    }

    fn collect(&self, running: &mut Running, block: u32, bytes: &[u8]) -> Result<(), ClientError> {
        if block != running.block + 1 {
            return Err(PeerFault::Block { expected: running.block + 1, got: block }.into());
        }
        if running.collected.len() + bytes.len() > self.config.max_answer {
            return Err(PeerFault::TooLong { limit: self.config.max_answer }.into());
        }
        running.block = block;
        running.collected.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn handle_set(&mut self, response: SetResponse) -> Result<(), ClientError> {
        match response {
            SetResponse::Normal { invoke, result } | SetResponse::LastBlock { invoke, result, .. } => {
                let running = self.answered(invoke)?;
                match (running.kind, result) {
                    (Kind::Set, result) => self.finish(running.id, Outcome::Set(result)),
                    (Kind::SetList(count), Err(error)) => {
                        self.finish(running.id, Outcome::SetList(vec![Err(error); count]))
                    }
                    _ => Err(PeerFault::Unexpected("a set response answers something else").into()),
                }
            }
            SetResponse::WithList { invoke, results }
            | SetResponse::LastBlockWithList { invoke, results, .. } => {
                let running = self.answered(invoke)?;
                match running.kind {
                    Kind::SetList(asked) if asked == results.len() => {
                        self.finish(running.id, Outcome::SetList(results))
                    }
                    Kind::SetList(asked) => Err(PeerFault::Count { asked, got: results.len() }.into()),
                    _ => Err(PeerFault::Unexpected("a list of set results answers something else").into()),
                }
            }
            SetResponse::Block { invoke, block } => {
                let (running, last, block, bytes) = self.next_piece(invoke, block)?;
                self.running = Some(running);
                self.send(&Apdu::SetRequest(SetRequest::Block { invoke, last, block, bytes }))
            }
        }
    }

    /// The meter took block `block`: the piece after it.
    fn next_piece(
        &mut self,
        invoke: InvokeId,
        block: u32,
    ) -> Result<(Running, bool, u32, Vec<u8>), ClientError> {
        let mut running = self.answered(invoke)?;
        let Some(upload) = running.upload.as_mut().filter(|upload| upload.at < upload.bytes.len()) else {
            return Err(PeerFault::Unexpected("it asks for a block that does not exist").into());
        };
        if upload.block != block {
            return Err(PeerFault::Block { expected: upload.block, got: block }.into());
        }
        let (last, block, bytes) = upload.cut();
        Ok((running, last, block, bytes))
    }

    pub(super) fn handle_action(&mut self, response: ActionResponse) -> Result<(), ClientError> {
        match response {
            ActionResponse::Normal { invoke, outcome } => {
                let running = self.answered(invoke)?;
                self.finish_action(&running, outcome)
            }
            ActionResponse::WithList { invoke, outcomes } => {
                let running = self.answered(invoke)?;
                self.finish_action_list(&running, outcomes)
            }
            ActionResponse::NextBlock { invoke, block } => {
                let (running, last, block, bytes) = self.next_piece(invoke, block)?;
                self.running = Some(running);
                self.send(&Apdu::ActionRequest(ActionRequest::Block { invoke, last, block, bytes }))
            }
            ActionResponse::Block { invoke, last, block, bytes } => {
                let mut running = self.answered(invoke)?;
                self.collect(&mut running, block, &bytes)?;
                if !last {
                    self.running = Some(running);
                    return self.send(&Apdu::ActionRequest(ActionRequest::NextBlock { invoke, block }));
                }
                self.finish_action_blocks(&running)
            }
        }
    }

    fn finish_action_blocks(&mut self, running: &Running) -> Result<(), ClientError> {
        let mut whole = rejoined(0xC7, running.invoke, &running.collected);
        if matches!(running.kind, Kind::Action) {
            whole[1] = 1;
        }
        match Apdu::decode(&whole) {
            Ok(Apdu::ActionResponse(ActionResponse::Normal { outcome, .. })) => {
                self.finish_action(running, outcome)
            }
            Ok(Apdu::ActionResponse(ActionResponse::WithList { outcomes, .. })) => {
                self.finish_action_list(running, outcomes)
            }
            Ok(_) => Err(PeerFault::Unexpected("blocks that hold no outcome").into()),
            Err(why) => Err(malformed(&running.collected, why)),
        }
    }

    fn finish_action(&mut self, running: &Running, outcome: ActionOutcome) -> Result<(), ClientError> {
        match running.kind {
            Kind::Action => {
                let result = outcome.result.map(|()| outcome.value.and_then(Result::ok));
                self.finish(running.id, Outcome::Action(result))
            }
            Kind::ActionList(count) if outcome.result.is_err() => {
                self.finish(running.id, Outcome::ActionList(vec![outcome; count]))
            }
            _ => Err(PeerFault::Unexpected("an action response answers something else").into()),
        }
    }

    fn finish_action_list(
        &mut self,
        running: &Running,
        outcomes: Vec<ActionOutcome>,
    ) -> Result<(), ClientError> {
        match running.kind {
            Kind::ActionList(asked) if asked == outcomes.len() => {
                self.finish(running.id, Outcome::ActionList(outcomes))
            }
            Kind::ActionList(asked) => Err(PeerFault::Count { asked, got: outcomes.len() }.into()),
            _ => Err(PeerFault::Unexpected("a list of outcomes answers something else").into()),
        }
    }
}

/// Values one after another, with their number before them if they are a list.
fn encoded(values: &[Data], list: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if list {
        bytes.push(u8::try_from(values.len()).unwrap_or(u8::MAX));
    }
    for value in values {
        value.encode(&mut bytes);
    }
    bytes
}

/// The with-list response whose contents came in blocks.
fn rejoined(tag: u8, invoke: InvokeId, collected: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(collected.len() + 3);
    whole.extend_from_slice(&[tag, 3, invoke.0]);
    whole.extend_from_slice(collected);
    whole
}

fn malformed(bytes: &[u8], why: DecodeError) -> ClientError {
    PeerFault::Malformed { length: bytes.len(), why }.into()
}
