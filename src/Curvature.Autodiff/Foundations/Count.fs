namespace Curvature

/// Checks of counts that users give, before memory is allocated for them.
module internal Count =

    /// The largest number of things that a list may be asked for: 2²⁷.
    let limit = 1 <<< 27

    /// Raises ArgumentRangeException for a count outside its range.
    let between (least: int) (most: int) (what: string) (count: int) =
        if count < least || count > most then
            Fail.range $"{what}: a count from {least} to {most} is needed, and it is {count}"
