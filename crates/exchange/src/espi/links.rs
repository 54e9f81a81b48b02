//! Who belongs to whom in a feed.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The links of one entry, and its title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) own: String,
    pub(crate) up: String,
    pub(crate) related: Vec<String>,
    pub(crate) title: String,
}

/// Fields of an element by their path inside it.
pub(crate) type Fields = Vec<(String, String)>;

/// What the feed told of its structure so far.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    meter_readings: Vec<Links>,
    usage_points: BTreeMap<String, Fields>,
    reading_types: BTreeMap<String, Arc<BTreeMap<String, String>>>,
    last_usage_point: String,
}

/// What is known of the series of a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Belonging {
    pub(crate) usage_point: String,
    pub(crate) meter_reading: String,
    pub(crate) title: String,
    /// The service category of the usage point, 0 electricity, 1 gas, 2 water.
    pub(crate) service: Option<String>,
    pub(crate) reading_type: Option<Arc<BTreeMap<String, String>>>,
}

/// More entries of a kind than this are no feed of readings.
const MOST: usize = 100_000;

impl Directory {
    pub(crate) fn meter_reading(&mut self, links: Links) {
        if self.meter_readings.len() < MOST {
            self.meter_readings.push(links);
        }
    }

    pub(crate) fn usage_point(&mut self, links: &Links, fields: Fields) {
        let id = segment(&links.own, "UsagePoint").unwrap_or(&links.own).to_owned();
        self.last_usage_point.clone_from(&id);
        if self.usage_points.len() < MOST {
            self.usage_points.insert(id, fields);
        }
    }

    pub(crate) fn reading_type(&mut self, links: &Links, fields: Fields) {
        if self.reading_types.len() < MOST {
            self.reading_types.insert(links.own.clone(), Arc::new(fields.into_iter().collect()));
        }
    }

    /// The series of a block with these links. Its reading type may still be to come.
    pub(crate) fn belonging(&self, block: &Links) -> Belonging {
        let id = segment(&block.own, "UsagePoint").or_else(|| segment(&block.up, "UsagePoint"));
        let mut found = Belonging {
            usage_point: id.unwrap_or(&self.last_usage_point).to_owned(),
            ..Belonging::default()
        };
        let reading = self.meter_reading_of(block);
        if let Some(reading) = reading {
            found.meter_reading = segment(&reading.own, "MeterReading").unwrap_or_default().to_owned();
            found.title.clone_from(&reading.title);
            if let Some(id) = segment(&reading.own, "UsagePoint") {
                id.clone_into(&mut found.usage_point);
            }
        } else if let Some(id) =
            segment(&block.own, "MeterReading").or_else(|| segment(&block.up, "MeterReading"))
        {
            id.clone_into(&mut found.meter_reading);
        }
        let fields = self.usage_points.get(&found.usage_point);
        let service =
            fields.and_then(|fields| fields.iter().find(|(name, _)| name == "ServiceCategory.kind"));
        found.service = service.map(|(_, value)| value.clone());
        found.reading_type = self.reading_type_of(reading);
        found
    }

    fn meter_reading_of(&self, block: &Links) -> Option<&Links> {
        let below = |reading: &&Links| {
            let path = reading.own.as_str();
            let under = |href: &str| {
                !path.is_empty() && href.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            };
            under(&block.own)
                || under(&block.up)
                || reading
                    .related
                    .iter()
                    .any(|href| *href == block.own || (!block.up.is_empty() && *href == block.up))
        };
        let named = self.meter_readings.iter().rev().find(below);
        named.or(if let [only] = self.meter_readings.as_slice() { Some(only) } else { None })
    }

    fn reading_type_of(&self, reading: Option<&Links>) -> Option<Arc<BTreeMap<String, String>>> {
        let by_link = reading.and_then(|reading| {
            reading.related.iter().find_map(|href| {
                self.reading_types.get(href).or_else(|| {
                    let id = segment(href, "ReadingType")?;
                    self.reading_types
                        .iter()
                        .find(|(own, _)| segment(own, "ReadingType") == Some(id))
                        .map(|(_, t)| t)
                })
            })
        });
        if let Some(found) = by_link {
            return Some(Arc::clone(found));
        }
        let mut all = self.reading_types.values();
        let only = all.next().filter(|_| all.next().is_none());
        only.filter(|_| self.meter_readings.len() <= 1).cloned()
    }
}

/// The part of a path behind `name`: the id of a resource.
pub(crate) fn segment<'a>(href: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = href.split('/');
    parts.find(|part| *part == name)?;
    parts.next().filter(|id| !id.is_empty())
}
