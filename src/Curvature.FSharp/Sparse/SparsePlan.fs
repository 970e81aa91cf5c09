namespace Curvature

/// With which vectors a matrix of a pattern is multiplied, and how its entries are read from the products.
[<NoEquality; NoComparison>]
type internal SparsePlan =
    {
        Pattern: SparsityPattern
        /// The colour of each column, or of each row where the transpose is multiplied.
        Colours: int[]
        Count: int
        IsByRows: bool
        IsSymmetric: bool
        /// The entries from a function that multiplies the vectors of so many colours from one on: a count, the size
        /// of a block, and the function.
        Recover: int -> int -> (int -> int -> float[]) -> float[]
    }

/// Chooses colours.
module internal SparsePlan =

    let private countOf (colours: int[]) = if colours.Length = 0 then 0 else 1 + Array.max colours

    /// As many products as pay where the dense derivative takes so many.
    let private limit (options: SparseOptions) (dense: int) : int =
        options.MostColours |> ValueOption.defaultValue (max 64 (dense / 2))

    let private refuse name (dense: int) (limit: int) (colours: int) : 'T =
        raise (
            ColouringException(
                $"{name}: the pattern takes {colours} colours or more, each of which is a product; the limit is "
                + $"{limit}, and the dense matrix takes {dense} products. Use the products of an operator, the dense "
                + "derivative, or SparseOptions with more colours",
                colours
            )
        )

    /// The colours of columns, and the products as elements of the matrix: column by column, at most one entry of each
    /// row has a colour.
    let private readColumns (pattern: SparsityPattern) (colours: int[]) count blockSize products : float[] =
        let values = Array.zeroCreate pattern.Count

        for first in 0..blockSize .. count - 1 do
            let stop = min count (first + blockSize)
            let block: float[] = products first (stop - first)

            for row in 0 .. pattern.Rows - 1 do
                for k in pattern.Starts[row] .. pattern.Starts[row + 1] - 1 do
                    let colour = colours[pattern.Indices[k]]

                    if colour >= first && colour < stop then
                        values[k] <- block[(colour - first) * pattern.Rows + row]

        values

    /// The places of the entries of the transpose in the pattern.
    let private transposedPlaces (pattern: SparsityPattern) (transposed: SparsityPattern) : int[] =
        let next = Array.sub transposed.Starts 0 pattern.Columns

        pattern.Indices
        |> Array.map (fun column ->
            next[column] <- next[column] + 1
            next[column] - 1)

    /// The fewest colours of some greedy colourings of the columns, within a limit.
    let private colourColumns limit (pattern: SparsityPattern) (transposed: SparsityPattern) : int[] voption =
        // What comparing columns that share a row takes.
        let work =
            Seq.sumBy
                (fun row -> pown (int64 (pattern.Starts[row + 1] - pattern.Starts[row])) 2)
                (seq { 0 .. pattern.Rows - 1 })

        let least = ColumnColouring.least pattern

        if least > limit || work > (1L <<< 32) then
            ValueNone
        else
            let natural = ColumnColouring.greedy pattern transposed (Array.init pattern.Columns id)

            let best =
                if countOf natural = least then
                    natural
                else
                    let sorted = ColumnColouring.greedy pattern transposed (ColumnColouring.largestFirst transposed)

                    if countOf sorted < countOf natural then sorted else natural

            if countOf best <= limit then ValueSome best else ValueNone

    let private byColumns pattern colours : SparsePlan =
        {
            Pattern = pattern
            Colours = colours
            Count = countOf colours
            IsByRows = false
            IsSymmetric = false
            Recover = readColumns pattern colours
        }

    let private byRows (pattern: SparsityPattern) (transposed: SparsityPattern) colours : SparsePlan =
        let places = transposedPlaces pattern transposed

        {
            Pattern = pattern
            Colours = colours
            Count = countOf colours
            IsByRows = true
            IsSymmetric = false
            Recover =
                fun count blockSize products ->
                    let values = readColumns transposed colours count blockSize products
                    places |> Array.map (Array.get values)
        }

    /// No fewer colours will do for the columns of a pattern that is not spelled out yet, or for its rows.
    let private leastOfFound (found: FoundPattern) : int =
        let byRow = found.Numbers |> Array.fold (fun most set -> max most (found.Sets.Size set)) 0

        let byColumn =
            if found.Columns = 0 then
                0L
            else
                (found.Entries - 1L) / int64 found.Columns + 1L

        min byRow (int byColumn)

    /// No fewer colours will do for a symmetric matrix of so many entries: two colours share fewer edges than they
    /// have vertices, so that c colours have fewer than (c − 1)·n.
    let private leastOfSymmetric (n: int) (entries: int64) : int =
        let edges = max 0L (entries - int64 n) / 2L
        if edges = 0L then min 1 n else int (edges / int64 n) + 2

    /// Columns or rows, whichever have fewer colours.
    let ofJacobian name (options: SparseOptions) (found: FoundPattern) : SparsePlan =
        let dense = min found.Numbers.Length found.Columns
        let limit = limit options dense

        let least = leastOfFound found

        if least > limit || found.Entries > Shape.denseLimit then
            refuse name dense limit least

        let pattern = SparsityPattern.ofFound name found
        let transposed = pattern.Transposed
        let columns = colourColumns limit pattern transposed
        let rows = colourColumns limit transposed pattern

        match columns, rows with
        | ValueSome columns, ValueSome rows when countOf rows < countOf columns -> byRows pattern transposed rows
        | ValueSome columns, _ -> byColumns pattern columns
        | ValueNone, ValueSome rows -> byRows pattern transposed rows
        | _ ->
            // Where a bound is within the limit, the greedy colourings were not.
            let least = min (ColumnColouring.least pattern) (ColumnColouring.least transposed)
            refuse name dense limit (max least (limit + 1))

    /// The fewest colours of some greedy colourings of a graph.
    let private colourSymmetric limit (options: SparseOptions) (pattern: SparsityPattern) : int[] voption =
        let graph = Graph.ofPattern pattern
        let isDirect = options.Recovery = RecoveryMethod.Direct
        let colour = if isDirect then SymmetricColouring.star else SymmetricColouring.acyclic
        let fewest = if graph.Neighbours.Length = 0 then min 1 graph.Size else 2

        let atDistance2 () = if isDirect then colourColumns limit pattern pattern else ValueNone

        let ways =
            [
                fun () -> colour limit graph (VertexOrder.natural graph)
                fun () -> colour limit graph (VertexOrder.smallestLast graph)
                fun () -> colour limit graph (VertexOrder.largestFirst graph)
                atDistance2
            ]

        let better (best: int[] voption) way =
            match best with
            | ValueSome colours when countOf colours <= fewest -> best
            | _ ->
                match best, way () with
                | ValueSome a, ValueSome b -> if countOf b < countOf a then ValueSome b else best
                | ValueNone, other
                | other, ValueNone -> other

        List.fold better ValueNone ways

    /// By a star or an acyclic colouring.
    let ofHessian name (options: SparseOptions) (found: FoundPattern) : SparsePlan =
        let n = found.Columns
        let limit = limit options n

        if found.Entries > Shape.denseLimit then
            refuse name n limit (leastOfSymmetric n found.Entries)

        let pattern = SparsityPattern.ofFound name found |> SparsityPattern.symmetric
        let least = leastOfSymmetric n (int64 pattern.Count)
        if least > limit then refuse name n limit least

        match colourSymmetric limit options pattern with
        | ValueNone -> refuse name n limit (limit + 1)
        | ValueSome colours ->
            let recovery = SymmetricRecovery(pattern, colours, (options.Recovery = RecoveryMethod.Substitution))

            {
                Pattern = pattern
                Colours = colours
                Count = countOf colours
                IsByRows = false
                IsSymmetric = true
                Recover = fun count blockSize products -> recovery.Recover(count, blockSize, products)
            }
