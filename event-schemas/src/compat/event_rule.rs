//! `EventRule`: compatibility rules about events (type, key, subject, version numbers,
//! removal), not about fields of data.

/// A rule about an event, its versions, its files or its waivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventRule {
    /// A committed event is no longer in the code.
    EventRemoved,
    /// A committed event is on another subject.
    SubjectChanged,
    /// The envelope type of an event has changed.
    TypeChanged,
    /// The use of the key has changed: whether the event has one, or whether it is in the subject.
    KeyChanged,
    /// An event is stored by another stream, or by none.
    StreamChanged,
    /// An event is no longer published by any service.
    Unpublished,
    /// A field is no longer marked as personal data.
    PiiRemoved,
    /// A field is newly marked as personal data.
    PiiAdded,
    /// The contract has changed, but the version has not.
    VersionNotRaised,
    /// The version is older than a committed one.
    VersionLowered,
    /// A new major version has no upcaster from the old one.
    UpcasterMissing,
    /// An upcaster refuses a document of an old version.
    UpcasterRefuses,
    /// The type does not accept the data that it writes itself.
    OwnReaderRefuses,
    /// A consumer's own type does not fit the published data.
    ReceiverDiffers,
    /// Compatibility of two versions could be neither proven nor refuted.
    Undecided,
    /// A committed version's golden document is missing.
    GoldenMissing,
    /// A committed version's golden document can no longer be read.
    GoldenRefused,
    /// The golden document of a committed version differs from the one at the ref.
    GoldenChanged,
    /// The files of a committed version are gone.
    VersionRemoved,
    /// The schema of a committed version differs from the one at the ref.
    VersionRewritten,
    /// The committed files differ from those that the code generates.
    FilesDiffer,
    /// A type in the sources derives `Event`, but no catalogue lists it.
    EventUnlisted,
    /// A function writes a field (`serialize_with`), but no attribute declares the schema of the
    /// field.
    FormUnsaid,
    /// The last day of a waiver has passed.
    WaiverExpired,
    /// A waiver matches no finding.
    WaiverUnused,
}

impl EventRule {
    /// All rules, in the order in which they are documented.
    pub const ALL: [Self; 25] = [
        Self::EventRemoved,
        Self::SubjectChanged,
        Self::TypeChanged,
        Self::KeyChanged,
        Self::StreamChanged,
        Self::Unpublished,
        Self::PiiRemoved,
        Self::PiiAdded,
        Self::VersionNotRaised,
        Self::VersionLowered,
        Self::UpcasterMissing,
        Self::UpcasterRefuses,
        Self::OwnReaderRefuses,
        Self::ReceiverDiffers,
        Self::Undecided,
        Self::GoldenMissing,
        Self::GoldenRefused,
        Self::GoldenChanged,
        Self::VersionRemoved,
        Self::VersionRewritten,
        Self::FilesDiffer,
        Self::EventUnlisted,
        Self::FormUnsaid,
        Self::WaiverExpired,
        Self::WaiverUnused,
    ];

    /// The id, which never changes.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.text().0
    }

    /// The title: what is wrong, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.text().1
    }

    /// The explanation: what the rule means, why it matters, and how to fix a finding.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.text().2
    }

    /// Whether a waiver can accept findings of this rule. It cannot if one command, or one edit of
    /// `check.toml`, fixes them.
    #[must_use]
    pub const fn is_waivable(self) -> bool {
        !matches!(
            self,
            Self::FilesDiffer | Self::WaiverExpired | Self::WaiverUnused
        )
    }

    /// Whether findings of this rule are only warnings.
    #[must_use]
    pub const fn is_warning(self) -> bool {
        matches!(
            self,
            Self::Unpublished | Self::PiiAdded | Self::WaiverUnused
        )
    }

    #[expect(clippy::too_many_lines, reason = "one table of texts")]
    const fn text(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::EventRemoved => (
                "event-removed",
                "an event was removed",
                "The files have an event that the catalogue does not have any more. Its consumers \
                 wait for events that never come, and nobody here can read those that are still \
                 stored in the stream.\n\n\
                 Way out: put the event back into the catalogue. To retire it, first let its \
                 consumers go, then waive this rule until the last stored event is older than the \
                 stream keeps, and delete the event's folder when the waiver ends.",
            ),
            Self::SubjectChanged => (
                "event-subject-changed",
                "an event moved to another subject",
                "The subject is the identity of an event: consumers subscribe to it, streams store \
                 by it, permissions name it. An event on another subject is another event, and the \
                 old one is gone for everybody who knows it.\n\n\
                 Way out: write the old subject again (`subject = \"…\"` where the tokens would \
                 make another). To move in earnest, publish both events until every consumer has \
                 moved, and retire the old one as `event-removed` says.",
            ),
            Self::TypeChanged => (
                "event-type-changed",
                "the type in the envelope changed",
                "A consumer compares the envelope's `event_type` with that of the event on this \
                 subject. Where they differ it terminates the message: it does not come again. A \
                 major version does not help, since the type is compared before the version.\n\n\
                 Way out: write the old type, `type = \"…\"`. If it has to be another, make another \
                 event of it, on a subject of its own.",
            ),
            Self::KeyChanged => (
                "event-key-changed",
                "what the event does with its key changed",
                "A key that goes into the subject makes its last token, and one that leaves it takes \
                 that token away: old consumers' filters match the new subjects no more, new \
                 consumers' filters do not match what is stored, and permissions have to change. A \
                 key that is dropped or added without showing in the subject changes which events \
                 stay in order together.\n\n\
                 Way out: leave the key as it is. If it has to change, make another event of it, on \
                 a subject of its own.",
            ),
            Self::StreamChanged => (
                "event-stream-changed",
                "another stream stores the event, or none",
                "A durable consumer lives in one stream. When another stream stores the event, the \
                 consumer is alive and gets nothing, and what was stored before stays behind; when \
                 none does, a publish fails, or nobody keeps what it sent.\n\n\
                 Way out: keep the event's subject in the stream that stores it. To move it, create \
                 the consumers at the new stream first, let the old ones run dry, and waive this \
                 until that is done.",
            ),
            Self::Unpublished => (
                "event-unpublished",
                "no service publishes the event any more",
                "A service of the catalogue published the event, and now none does. Consumers stay \
                 subscribed and get nothing.\n\n\
                 Way out: say again who publishes it, or tell its consumers. What stays in the \
                 catalogue can still be read where it is stored.",
            ),
            Self::PiiRemoved => (
                "pii-removed",
                "a field is no longer marked as personal data",
                "Whoever masks, encrypts or deletes personal data does it by `x-pii` in the schema. \
                 A mark that disappears while the field stays makes them stop.\n\n\
                 Way out: wrap the field's type in `Pii<…>` again. If it never was personal data, \
                 waive this with that as the reason.",
            ),
            Self::PiiAdded => (
                "pii-added",
                "a field is newly marked as personal data",
                "The field was there without the mark, so consumers may have stored and logged it \
                 like any other.\n\n\
                 Way out: tell the consumers; a waiver says that it is done.",
            ),
            Self::VersionNotRaised => (
                "version-not-raised",
                "the contract changed, and the version did not",
                "A version means one contract for ever: within it nothing may change but texts such \
                 as titles, descriptions and examples. Consumers decide by the version what to \
                 expect, and a stored document of a version is read by what the files say of it.\n\n\
                 Way out: raise the minor for a change that both sides survive, else the major and \
                 add an upcaster; then generate. A version that was never published may be \
                 generated anew.",
            ),
            Self::VersionLowered => (
                "version-lowered",
                "the version is older than a committed one",
                "The files have a newer version of this event than the code. A consumer built from \
                 this code puts back what the newer one wrote if its major is newer.\n\n\
                 Way out: merge the branch on which the newer version was made. If the newer one is \
                 to be taken back, raise the version above it: what was published under a version \
                 cannot be unsaid.",
            ),
            Self::UpcasterMissing => (
                "upcaster-missing",
                "there is no way from an older major version",
                "The major was raised, and the new type does not name the old one. Every stored \
                 event of the old major is refused, and so is what publishers write that are not \
                 updated yet: consumers deploy first.\n\n\
                 Way out: keep the old struct under another name (`OrderPlacedV1`) with its own \
                 version, write `upcast_from = OrderPlacedV1` on the new one, and `impl \
                 From<OrderPlacedV1>` for it, or `TryFrom` where some have no new form.",
            ),
            Self::UpcasterRefuses => (
                "upcaster-refuses",
                "an upcaster refuses a document of an old version",
                "The new type names the old one, but a document that the old version's schema \
                 allows does not come through: reading it as the old type, or converting it, fails. \
                 Such an event is terminated, and does not come again.\n\n\
                 Way out: let the conversion take it. If no such event was ever written, say so in \
                 a waiver.",
            ),
            Self::OwnReaderRefuses => (
                "own-reader-refuses",
                "a type refuses what it writes itself",
                "What a publisher writes is compared with what a subscriber of the same version \
                 reads. Where serde is told different things for the two (`skip_serializing` \
                 without `default`, names for one side only), an event cannot be read by the very \
                 program that wrote it.\n\n\
                 Way out: give the reader a `#[serde(default)]`, or the same name on both sides.",
            ),
            Self::ReceiverDiffers => (
                "receiver-differs",
                "a consumer's own type does not fit the event",
                "A consumer receives the event with a type of its own (`#[derive(Readable)]`), and \
                 what is published, or a committed version of the same major, is not what that type \
                 reads: a field, the envelope's type, or whether the key is in the subject. The \
                 consumer terminates such an event, or never gets it.\n\n\
                 Way out: put the consumer's type right: leave out what it does not need, make \
                 optional what may be missing, and write `type` and `in_subject` as the publisher \
                 does.",
            ),
            Self::Undecided => (
                "undecided",
                "it could not be decided whether two versions fit",
                "Neither a proof that every document is accepted was found, nor a document that is \
                 not. That is no yes: the check fails until somebody has looked.\n\n\
                 Way out: write the schema in a simpler form (the message says what was too hard), \
                 or look at both and waive it with what you found.",
            ),
            Self::GoldenMissing => (
                "golden-missing",
                "a version has no golden document",
                "Each version has a document that was really written by it, which every later \
                 version must still read. This one's is gone.\n\n\
                 Way out: take it back from git. For the version that the code has, generate \
                 writes a new one.",
            ),
            Self::GoldenRefused => (
                "golden-refused",
                "a golden document is not read any more",
                "The golden document of a committed version was read by the code's type, through \
                 its upcasters, and refused. What is stored of that version would be refused just \
                 so.\n\n\
                 Way out: make the type, or the upcaster, read it again. If the document itself is \
                 wrong, replace it by a real one.",
            ),
            Self::GoldenChanged => (
                "golden-changed",
                "a golden document was changed",
                "The golden document of a published version is evidence of what was written. It is \
                 another one than at the ref.\n\n\
                 Way out: take it back from git (`git checkout <ref> -- <file>`).",
            ),
            Self::VersionRemoved => (
                "version-removed",
                "the files of a version are gone",
                "At the ref there is a version of this event that the folder does not have any \
                 more. Events of it may be stored still, and the next check would not compare with \
                 it.\n\n\
                 Way out: take the files back from git (`git checkout <ref> -- <folder>`).",
            ),
            Self::VersionRewritten => (
                "version-rewritten",
                "the schema of a published version was changed",
                "The file of a version that the code does not have any more says something else \
                 than at the ref. What was published under a version cannot be unsaid.\n\n\
                 Way out: take the file back from git (`git checkout <ref> -- <file>`).",
            ),
            Self::FilesDiffer => (
                "files-differ",
                "the committed files are not what the code says",
                "Other teams read the files; they must say what the code does.\n\n\
                 Way out: run `schemas generate`, read the difference, and commit it.",
            ),
            Self::EventUnlisted => (
                "event-unlisted",
                "an event stands in no catalogue",
                "A struct derives `Event`, and the catalogue does not have it: no schema, no check, \
                 nobody knows of it.\n\n\
                 Way out: add it to the catalogue, with the service that publishes it. If it is not \
                 for others (a test's, say), waive it.",
            ),
            Self::FormUnsaid => (
                "form-unsaid",
                "a field has a form that no schema knows",
                "serde writes the field by a function (`serialize_with`), and the schema is made \
                 from its type: what it says of the field may be wrong. A function that only reads \
                 (`deserialize_with` alone) is let pass: what is written has the schema's form, and \
                 that the type reads it is seen by examples and golden documents. The path of a \
                 finding is the type and its field, `Item.price`.\n\n\
                 Way out: say the form, with `#[schemars(with = \"…\")]` for that of another type, \
                 or `#[schemars(schema_with = \"…\")]` for a schema by hand. The sources are not \
                 compiled, so types are known by their names alone: if it is another type of this \
                 name that the event has, or the function keeps the form, waive it.",
            ),
            Self::WaiverExpired => (
                "waiver-expired",
                "a waiver's time is over",
                "A waiver ends with the day that it names; what it waived counts again.\n\n\
                 Way out: put right what it waived and delete it, or renew the date if there is a \
                 reason to.",
            ),
            Self::WaiverUnused => (
                "waiver-unused",
                "a waiver waives nothing",
                "No finding fits this waiver: it has done its service, or it has a mistake.\n\n\
                 Way out: delete it, or put its event, rule and path right.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_stands_once_in_the_list_with_texts_of_its_own() {
        let ids: std::collections::BTreeSet<_> = EventRule::ALL.map(EventRule::id).into();
        assert_eq!(ids.len(), EventRule::ALL.len());
        for rule in EventRule::ALL {
            assert!(!rule.title().ends_with('.'), "{}", rule.id());
            assert!(
                rule.explanation().contains("\n\nWay out: "),
                "{}",
                rule.id()
            );
        }
    }
}
