namespace Curvature

open System

/// What is taken of one axis: the element at a position, whose axis disappears, or a range of elements. C# makes one of
/// an int, an Index such as ^1, or a Range such as 1..4, wherever a tensor is indexed.
[<Struct; NoComparison; Diagnostics.DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type AxisSelection =
    /// The position, or where the range starts.
    val internal First: int
    val internal FirstIsFromEnd: bool
    /// The position after the range.
    val internal Stop: int
    val internal StopIsFromEnd: bool
    val internal IsRange: bool

    internal new(first, firstIsFromEnd, stop, stopIsFromEnd, isRange) =
        {
            First = first
            FirstIsFromEnd = firstIsFromEnd
            Stop = stop
            StopIsFromEnd = stopIsFromEnd
            IsRange = isRange
        }

    /// The element at a position from the start.
    static member op_Implicit(position: int) : AxisSelection = AxisSelection(position, false, 0, false, false)

    /// The element at a position from the start or the end.
    static member op_Implicit(position: Index) : AxisSelection =
        AxisSelection(position.Value, position.IsFromEnd, 0, false, false)

    /// The elements of a range, whose end is not taken.
    static member op_Implicit(range: Range) : AxisSelection =
        AxisSelection(range.Start.Value, range.Start.IsFromEnd, range.End.Value, range.End.IsFromEnd, true)

    /// F#'s range, whose end is taken.
    static member internal Inclusive(start: int option, finish: int option) : AxisSelection =
        let first = defaultArg start 0

        match finish with
        | None -> AxisSelection(first, false, 0, true, true)
        | Some finish when finish = Int32.MaxValue -> AxisSelection(first, false, finish, false, true)
        | Some finish -> AxisSelection(first, false, finish + 1, false, true)

    static member private Show(value: int, isFromEnd: bool) = if isFromEnd then $"^{value}" else string value
    member private selection.FirstText = AxisSelection.Show(selection.First, selection.FirstIsFromEnd)
    member private selection.StopText = AxisSelection.Show(selection.Stop, selection.StopIsFromEnd)

    member internal selection.Text =
        if selection.IsRange then
            $"{selection.FirstText}..{selection.StopText}"
        else
            selection.FirstText

    /// As C# writes it: 1, ^1 or 1..^2.
    override selection.ToString() = selection.Text

    /// The first position and the number of elements, on an axis of this length.
    member internal selection.On(axis: int, length: int) : struct (int * int) =
        let position value isFromEnd = if isFromEnd then length - value else value
        let first = position selection.First selection.FirstIsFromEnd

        if not selection.IsRange then
            if first < 0 || first >= length then
                Fail.range (
                    $"tensor: index {selection.FirstText} does not exist on axis {axis} of length {length}; "
                    + "indices are at least 0 and less than the length"
                )

            struct (first, 1)
        else
            let stop = position selection.Stop selection.StopIsFromEnd

            if first < 0 || stop > length || stop < first then
                Fail.range (
                    $"tensor: the range from index {selection.FirstText} to before {selection.StopText} does not lie "
                    + $"on axis {axis} of length {length}"
                )

            struct (first, stop - first)

    /// Selections of the leading axes of a shape: where they start, how many elements of each axis they take, and the
    /// shape that is left.
    static member internal OfShape(selections: AxisSelection[], shape: int[]) : int[] * int[] * int[] =
        ArgumentNullException.ThrowIfNull(selections, "axes")

        if selections.Length > shape.Length then
            Fail.shape $"tensor: {selections.Length} indices for the {shape.Length} axes of shape {Shape.show shape}"

        let start, lengths = Array.zeroCreate shape.Length, Array.copy shape

        for axis in 0 .. selections.Length - 1 do
            let struct (first, count) = selections[axis].On(axis, shape[axis])
            start[axis] <- first
            lengths[axis] <- count

        let isKept axis = axis >= selections.Length || selections[axis].IsRange
        start, lengths, lengths |> Array.indexed |> Array.filter (fst >> isKept) |> Array.map snd
