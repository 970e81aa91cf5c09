namespace Curvature.FSharp

/// A range of groups: its first, and the first beyond it.
type GroupRange = (struct (int * int))

/// The binary tree over groups 0 … G − 1 along which sums run, the same on any number of workers: a node is a range of
/// groups, and its left part is the largest power of two below its length.
[<RequireQualifiedAccess>]
module FixedTree =

    /// Where the right part of a node of two groups or more begins.
    let split (struct (low, high): GroupRange) : int =
        let mutable power = 1

        while 2 * power < high - low do
            power <- 2 * power

        low + power

    /// The largest nodes within a range, from left to right: at most 2 log₂ G of them.
    let cover (groups: int) (struct (low, high): GroupRange) : GroupRange list =
        let rec walk (struct (first, last) as node: GroupRange) =
            if last <= low || first >= high then
                []
            elif first >= low && last <= high then
                [ node ]
            else
                let middle = split node
                walk (struct (first, middle)) @ walk (struct (middle, last))

        if groups < 1 || high <= low then [] else walk (struct (0, groups))

    /// The groups of worker number `worker` of `workers`: contiguous, of about the same number, and none where there
    /// are more workers than groups. Where each has many, ends are rounded to a power of two of at most an eighth of
    /// a worker's part, so that ranges are few nodes.
    let range (worker: int) (workers: int) (groups: int) : GroupRange =
        let mutable grain = 1

        while 16L * int64 grain * int64 workers <= int64 groups do
            grain <- 2 * grain

        let bound (i: int) =
            if i >= workers then
                groups
            else
                let exact = int64 groups * int64 i / int64 workers
                int ((exact + int64 grain / 2L) / int64 grain * int64 grain)

        struct (bound worker, bound (worker + 1))
