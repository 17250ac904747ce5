//! `Sabotage`: the promise that an inbox in memory breaks.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    Nothing,

    ForgetsRecords,
    ForgetsEffects,
    KeepsFailedEffects,
    KeepsFailedRecords,
    SharesRecords,
    LocksNothing,

    CountsTroubles,
    DeniesTroubles,

    ForgetsTheDead,
    HandlesTheDead,
    ForgetsReasons,
    GivesUpWhatIsDone,
    RecordsWithoutAnId,
    RedrivesNothing,
    RedrivesWhatIsDone,
    IgnoresRedriveNumbers,

    LosesLetters,
    LosesKeysOfLetters,
    RepeatsLetters,
    ReplacesLetters,
    HidesItsInbox,

    IgnoresEpochs,
    RefusesOwners,
    SharesEpochsOfPartitions,
    SharesEpochsOfConsumers,

    FailsWholeBatches,
    IgnoresKeysInBatches,
    ReportsTheDeadLate,

    RegistersNothing,
    CleansNothing,
    CleansTheYoung,
    CleansAboveTheFloor,
    CleansAllAtOnce,
    CleansOtherConsumers,
    CleansBesideLetters,
    CleansRedrives,
    LowersFloors,
    EveryoneCleans,
    NobodyCleans,
    AcceptsOlder,
    RefusesWhateverIsNew,
}
