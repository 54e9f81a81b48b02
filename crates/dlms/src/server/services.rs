//! Get, set and action on the plain side: requests in, responses out, long ones in blocks.

use super::blocks::Room;
use super::device::LogicalDevice;
use super::own::Own;
use super::session::{Receiving, Session, Target};
use crate::Data;
use crate::apdu::{
    ActionError, ActionOutcome, ActionRequest, ActionResponse, Apdu, AttributeRef, DataAccessError,
    GetRequest, InvokeId, MethodRef, Selection, SetRequest, SetResponse,
};

/// Everything a service needs at hand.
pub(super) struct Serving<'a> {
    pub(super) own: Own<'a>,
    pub(super) session: &'a mut Session,
    pub(super) device: &'a mut dyn LogicalDevice,
    pub(super) room: Room,
    pub(super) max_request: usize,
}

impl Serving<'_> {
    pub(super) fn get(&mut self, request: GetRequest) -> Apdu {
        Apdu::GetResponse(match request {
            GetRequest::Normal { invoke, attribute, selection } => {
                self.session.sending = None;
                let result = self.get_one(attribute, selection.as_ref());
                self.room.get(self.session, invoke, result)
            }
            GetRequest::WithList { invoke, attributes } => {
                self.session.sending = None;
                let results = attributes
                    .iter()
                    .map(|(attribute, selection)| self.get_one(*attribute, selection.as_ref()))
                    .collect();
                self.room.get_list(self.session, invoke, results)
            }
            GetRequest::Next { invoke, block } => self.room.next_of_get(self.session, invoke, block),
        })
    }

    fn get_one(
        &mut self,
        attribute: AttributeRef,
        selection: Option<&Selection>,
    ) -> Result<Data, DataAccessError> {
        if let Some(result) = self.own.get(self.session, &*self.device, attribute, selection) {
            return result;
        }
        let rights = self.session.rights;
        let entry = find(&*self.device, attribute.class, attribute.object)?;
        let access = entry.attributes.iter().find(|access| access.attribute == attribute.attribute);
        if !rights.meet(access.and_then(|access| access.read)) {
            return Err(DataAccessError::ReadWriteDenied);
        }
        if attribute.attribute == 1 {
            return Ok(Data::OctetString(attribute.object.0.to_vec()));
        }
        self.device.get(attribute, selection, &self.session.caller())
    }

    pub(super) fn set(&mut self, request: SetRequest) -> Apdu {
        Apdu::SetResponse(match request {
            SetRequest::Normal { invoke, attribute, selection, value } => {
                let result = self.set_one(attribute, selection.is_some(), value);
                SetResponse::Normal { invoke, result }
            }
            SetRequest::WithList { invoke, attributes, values } => {
                let partial: Vec<bool> =
                    attributes.iter().map(|(_, selection)| selection.is_some()).collect();
                let named = attributes.into_iter().map(|(attribute, _)| attribute);
                let results = named
                    .zip(partial)
                    .zip(values)
                    .map(|((attribute, partial), value)| self.set_one(attribute, partial, value))
                    .collect();
                SetResponse::WithList { invoke, results }
            }
            SetRequest::FirstBlock { invoke, attribute, selection, last, block, bytes } => {
                if selection.is_some() {
                    let result = Err(DataAccessError::ScopeOfAccessViolated);
                    return Apdu::SetResponse(SetResponse::LastBlock { invoke, result, block });
                }
                self.session.receiving =
                    Some(Receiving { target: Target::Set(attribute), bytes: Vec::new(), block: 0 });
                self.set_block(invoke, last, block, &bytes)
            }
            SetRequest::FirstBlockWithList { invoke, attributes, last, block, bytes } => {
                let attributes = attributes.into_iter().map(|(attribute, _)| attribute).collect();
                self.session.receiving =
                    Some(Receiving { target: Target::SetList(attributes), bytes: Vec::new(), block: 0 });
                self.set_block(invoke, last, block, &bytes)
            }
            SetRequest::Block { invoke, last, block, bytes } => self.set_block(invoke, last, block, &bytes),
        })
    }

    fn set_one(
        &mut self,
        attribute: AttributeRef,
        partial: bool,
        value: Data,
    ) -> Result<(), DataAccessError> {
        if partial {
            return Err(DataAccessError::ScopeOfAccessViolated);
        }
        if Own::owns(attribute.object) {
            return Err(DataAccessError::ReadWriteDenied);
        }
        let rights = self.session.rights;
        let entry = find(&*self.device, attribute.class, attribute.object)?;
        let access = entry.attributes.iter().find(|access| access.attribute == attribute.attribute);
        if !rights.meet(access.and_then(|access| access.write)) {
            return Err(DataAccessError::ReadWriteDenied);
        }
        self.device.set(attribute, value, &self.session.caller())
    }

    fn set_block(&mut self, invoke: InvokeId, last: bool, block: u32, bytes: &[u8]) -> SetResponse {
        let refuse = |error| SetResponse::LastBlock { invoke, result: Err(error), block };
        let Some(mut long) = self.session.receiving.take() else {
            return refuse(DataAccessError::NoLongSetInProgress);
        };
        if block != long.block + 1 {
            return refuse(DataAccessError::DataBlockNumberInvalid);
        }
        if long.bytes.len() + bytes.len() > self.max_request {
            return refuse(DataAccessError::LongSetAborted);
        }
        long.bytes.extend_from_slice(bytes);
        long.block = block;
        if !last {
            self.session.receiving = Some(long);
            return SetResponse::Block { invoke, block };
        }
        match long.target {
            Target::Set(attribute) => {
                let result = match whole(&long.bytes) {
                    Some(value) => self.set_one(attribute, false, value),
                    None => Err(DataAccessError::TypeUnmatched),
                };
                SetResponse::LastBlock { invoke, result, block }
            }
            Target::SetList(attributes) => {
                let Some(values) = list(&long.bytes, attributes.len()) else {
                    return refuse(DataAccessError::TypeUnmatched);
                };
                let results = attributes
                    .into_iter()
                    .zip(values)
                    .map(|(attribute, value)| self.set_one(attribute, false, value))
                    .collect();
                SetResponse::LastBlockWithList { invoke, results, block }
            }
            Target::Action(_) | Target::ActionList(_) => refuse(DataAccessError::NoLongSetInProgress),
        }
    }

    pub(super) fn action(&mut self, request: ActionRequest) -> Apdu {
        let response = match request {
            ActionRequest::Normal { invoke, method, parameters } => {
                self.session.sending = None;
                let outcome = self.call(method, parameters);
                self.room.action(self.session, invoke, outcome)
            }
            ActionRequest::WithList { invoke, methods, parameters } => {
                self.session.sending = None;
                self.call_list(invoke, methods, parameters)
            }
            ActionRequest::NextBlock { invoke, block } => {
                self.room.next_of_action(self.session, invoke, block)
            }
            ActionRequest::FirstBlock { invoke, method, last, block, bytes } => {
                self.session.receiving =
                    Some(Receiving { target: Target::Action(method), bytes: Vec::new(), block: 0 });
                self.action_block(invoke, last, block, &bytes)
            }
            ActionRequest::WithListFirstBlock { invoke, methods, last, block, bytes } => {
                self.session.receiving =
                    Some(Receiving { target: Target::ActionList(methods), bytes: Vec::new(), block: 0 });
                self.action_block(invoke, last, block, &bytes)
            }
            ActionRequest::Block { invoke, last, block, bytes } => {
                self.action_block(invoke, last, block, &bytes)
            }
        };
        Apdu::ActionResponse(response)
    }

    fn call(&mut self, method: MethodRef, parameters: Option<Data>) -> ActionOutcome {
        match self.call_one(method, parameters) {
            Ok(value) => ActionOutcome { result: Ok(()), value: value.map(Ok) },
            Err(error) => ActionOutcome { result: Err(error), value: None },
        }
    }

    fn call_one(&mut self, method: MethodRef, parameters: Option<Data>) -> Result<Option<Data>, ActionError> {
        if let Some(result) = self.own.action(self.session, method, parameters.as_ref()) {
            return result;
        }
        let rights = self.session.rights;
        let entry = find(&*self.device, method.class, method.object).map_err(|error| match error {
            DataAccessError::ObjectClassInconsistent => ActionError::ObjectClassInconsistent,
            _ => ActionError::ObjectUndefined,
        })?;
        let access = entry.methods.iter().find(|access| access.method == method.method);
        if !rights.meet(access.and_then(|access| access.call)) {
            return Err(ActionError::ReadWriteDenied);
        }
        self.device.action(method, parameters, &self.session.caller())
    }

    /// `Data::Null` stands for "no parameters" in a list, where the encoding has no other way to say it.
    fn call_list(
        &mut self,
        invoke: InvokeId,
        methods: Vec<MethodRef>,
        parameters: Vec<Data>,
    ) -> ActionResponse {
        let outcomes = methods
            .into_iter()
            .zip(parameters)
            .map(|(method, value)| self.call(method, (value != Data::Null).then_some(value)))
            .collect();
        self.room.action_list(self.session, invoke, outcomes)
    }

    fn action_block(&mut self, invoke: InvokeId, last: bool, block: u32, bytes: &[u8]) -> ActionResponse {
        let refuse = |error| ActionResponse::Normal {
            invoke,
            outcome: ActionOutcome { result: Err(error), value: None },
        };
        let Some(mut long) = self.session.receiving.take() else {
            return refuse(ActionError::NoLongActionInProgress);
        };
        if block != long.block + 1 || long.bytes.len() + bytes.len() > self.max_request {
            return refuse(ActionError::LongActionAborted);
        }
        long.bytes.extend_from_slice(bytes);
        long.block = block;
        if !last {
            self.session.receiving = Some(long);
            return ActionResponse::NextBlock { invoke, block };
        }
        match long.target {
            Target::Action(method) => match whole(&long.bytes) {
                Some(value) => {
                    let outcome = self.call(method, Some(value));
                    self.room.action(self.session, invoke, outcome)
                }
                None => refuse(ActionError::TypeUnmatched),
            },
            Target::ActionList(methods) => match list(&long.bytes, methods.len()) {
                Some(values) => self.call_list(invoke, methods, values),
                None => refuse(ActionError::TypeUnmatched),
            },
            Target::Set(_) | Target::SetList(_) => refuse(ActionError::NoLongActionInProgress),
        }
    }
}

fn find(
    device: &dyn LogicalDevice,
    class: u16,
    object: crate::Obis,
) -> Result<&super::config::ObjectEntry, DataAccessError> {
    let mut elsewhere = DataAccessError::ObjectUndefined;
    for entry in device.objects().iter().filter(|entry| entry.object == object) {
        if entry.class == class {
            return Ok(entry);
        }
        elsewhere = DataAccessError::ObjectClassInconsistent;
    }
    Err(elsewhere)
}

/// One value and nothing after it.
fn whole(bytes: &[u8]) -> Option<Data> {
    Data::decode_all(bytes).ok()
}

/// Exactly `count` values behind their number and nothing after them.
fn list(bytes: &[u8], count: usize) -> Option<Vec<Data>> {
    let (&announced, mut rest) = bytes.split_first()?;
    if usize::from(announced) != count || announced >= 0x80 {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let (value, tail) = Data::decode(rest).ok()?;
        values.push(value);
        rest = tail;
    }
    rest.is_empty().then_some(values)
}
