namespace Curvature

/// Counts that users give, checked before anything is laid out for them.
module internal Count =

    /// As many things as are listed on request: 2²⁷.
    let limit = 1 <<< 27

    /// Raises ArgumentRangeException for a count outside its range.
    let between (least: int) (most: int) (what: string) (count: int) =
        if count < least || count > most then
            Fail.range $"{what}: a count from {least} to {most} is needed, and it is {count}"
