namespace Curvature

open System
open System.Diagnostics
open System.Text
open Curvature.FSharp

/// Which entries of a matrix may differ from 0, in compressed rows. Immutable. Made by the functions of the module
/// Sparsity.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type SparsityPattern internal (rows: int, columns: int, starts: int[], indices: int[]) =

    /// Patterns of more rows or columns are not drawn.
    static let drawnRows = 16

    static let drawnColumns = 64

    let checkIndex name count i =
        if i < 0 || i >= count then
            Fail.range $"pattern: {name} {i} does not exist; there are {count}"

    /// The number of rows.
    member _.Rows = rows

    /// The number of columns.
    member _.Columns = columns

    /// How many entries there are.
    member _.Count = indices.Length

    member internal _.Starts = starts
    member internal _.Indices = indices

    /// The columns of the entries of a row, ascending. Raises ArgumentRangeException for a row that does not exist.
    member _.Row(row: int) : int[] =
        checkIndex "row" rows row
        indices[starts[row] .. starts[row + 1] - 1]

    /// Whether there is an entry. Raises ArgumentRangeException for a row or a column that does not exist.
    member _.Contains(row: int, column: int) : bool =
        checkIndex "row" rows row
        checkIndex "column" columns column
        Array.BinarySearch(indices, starts[row], starts[row + 1] - starts[row], column) >= 0

    /// The pattern of the transpose.
    member _.Transposed: SparsityPattern =
        let counts = Array.zeroCreate (columns + 1)

        for column in indices do
            counts[column + 1] <- counts[column + 1] + 1

        let first = Array.scan (+) 0 counts[1..]
        let next = Array.copy first
        let transposed = Array.zeroCreate indices.Length

        for row in 0 .. rows - 1 do
            for k in starts[row] .. starts[row + 1] - 1 do
                let column = indices[k]
                transposed[next[column]] <- row
                next[column] <- next[column] + 1

        SparsityPattern(columns, rows, first, transposed)

    /// The entries that two patterns of one shape share.
    member internal _.Intersect(other: SparsityPattern) : SparsityPattern =
        let shared row =
            Array.filter (fun column -> other.Contains(row, column)) indices[starts[row] .. starts[row + 1] - 1]

        let lists = Array.init rows shared
        SparsityPattern(rows, columns, lists |> Array.map _.Length |> Array.scan (+) 0, Array.concat lists)

    override this.ToString() =
        let entries = if indices.Length = 1 then "1 entry" else $"{indices.Length} entries"
        let text = StringBuilder($"pattern of {rows} by {columns} with {entries}")

        if rows <= drawnRows && columns <= drawnColumns then
            for row in 0 .. rows - 1 do
                text.Append '\n' |> ignore

                for column in 0 .. columns - 1 do
                    text.Append(if this.Contains(row, column) then '●' else '·') |> ignore

        text.ToString()

    member internal this.Text = this.ToString()

module internal SparsityPattern =

    /// Raises ArgumentRangeException for more entries than fit.
    let ofFound (name: string) (found: FoundPattern) : SparsityPattern =
        let entries = found.Entries

        if entries > Shape.denseLimit then
            Fail.range (
                $"{name}: the pattern has {entries} entries, and the limit is {Shape.denseLimit}; "
                + "products with the derivative need no pattern"
            )

        let starts = Array.zeroCreate (found.Numbers.Length + 1)
        let indices = Array.zeroCreate (int entries)

        for row in 0 .. found.Numbers.Length - 1 do
            let items = found.Sets.Items found.Numbers[row]
            Array.blit items 0 indices starts[row] items.Length
            starts[row + 1] <- starts[row] + items.Length

        SparsityPattern(found.Numbers.Length, found.Columns, starts, indices)

    /// The pattern of a Hessian: it is symmetric, so that an entry whose mirror image is missing is 0.
    let symmetric (pattern: SparsityPattern) : SparsityPattern = pattern.Intersect pattern.Transposed
