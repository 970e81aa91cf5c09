namespace Curvature

open System
open System.Diagnostics
open System.Collections.Generic

/// The places that an item takes in the rankings of the draws.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type RankInterval internal (low: int, high: int) =
    /// The first place, from 1 for the largest, that it takes.
    member _.Low = low

    /// The last place that it takes.
    member _.High = high

    override _.ToString() = if low = high then $"{low}" else $"{low} to {high}"

    member internal this.Text = this.ToString()

/// How stable a ranking by estimates is: the rankings of estimates drawn again many times within their errors.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type RankingStability internal (names: string[], values: float[], draws: float[][], taus: float[]) =
    let sorted = Array.sort taus

    let ranks =
        lazy
            (draws
             |> Array.map (fun draw ->
                 let places = Array.zeroCreate<int> draw.Length

                 Array.init draw.Length id
                 |> Array.sortBy (fun i -> struct (-draw[i], i))
                 |> Array.iteri (fun place i -> places[i] <- place + 1)

                 places))

    /// What is ranked.
    member _.Names: IReadOnlyList<string> = names

    /// How many times the estimates were drawn.
    member _.Draws = draws.Length

    /// The share of draws in which item `first` has the larger value. Raises ArgumentRangeException for an item that is
    /// not there.
    member _.ProbabilityThatFirstIsLarger(first: int, second: int) : float =
        for index in [ first; second ] do
            if index < 0 || index >= names.Length then
                Fail.range
                    $"RankingStability: there are {names.Length} items, numbered from 0, and item {index} was asked for"

        draws |> Array.averageBy (fun draw -> if draw[first] > draw[second] then 1.0 else 0.0)

    /// For each pair of items, the share of draws in which the order of the estimates holds; 1 on the diagonal.
    member this.OrderProbabilities: float[,] =
        Array2D.init names.Length names.Length (fun i j ->
            if i = j then
                1.0
            elif values[i] > values[j] || (values[i] = values[j] && i < j) then
                this.ProbabilityThatFirstIsLarger(i, j)
            else
                this.ProbabilityThatFirstIsLarger(j, i))

    /// Kendall's τ between the ranking by estimates and that of each draw, ascending: 1 where they agree, about 0 where
    /// they are unrelated.
    member _.KendallTaus = Array.copy sorted

    /// The mean of Kendall's τ over the draws.
    member _.MeanTau = Array.average sorted

    /// Kendall's τ that this share of draws does not reach. Raises ArgumentRangeException for a share outside [0, 1].
    member _.TauQuantile(share: float) : float =
        if not (share >= 0.0 && share <= 1.0) then
            Fail.range $"TauQuantile: a share from 0 to 1 is needed, and it is {share}"

        sorted[min (sorted.Length - 1) (int (share * float sorted.Length))]

    /// The places that an item takes in all but a share 1 − confidence of the draws, split evenly between both ends.
    /// Raises ArgumentRangeException for an item that is not there, or for a confidence outside (0, 1).
    member _.Rank(item: int, confidence: float) : RankInterval =
        if item < 0 || item >= names.Length then
            Fail.range
                $"RankingStability: there are {names.Length} items, numbered from 0, and item {item} was asked for"

        if not (confidence > 0.0 && confidence < 1.0) then
            Fail.range $"a confidence lies between 0 and 1, and this one is {confidence}"

        let places = ranks.Value |> Array.map (fun places -> places[item]) |> Array.sort
        let outside = int (Math.Floor(0.5 * (1.0 - confidence) * float places.Length))
        RankInterval(places[outside], places[places.Length - 1 - outside])

    override this.ToString() =
        let items = FSharp.Describe.count names.Length "item"
        $"""Kendall's τ {this.MeanTau:F3} on average over {FSharp.Describe.count draws.Length "draw"} of {items}"""

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// Estimates drawn again within their errors.
module internal Resampling =

    let checkDraws (draws: int) =
        if draws < 1 then
            Fail.range $"stability: one draw at least is needed, and {draws} were asked for"

        Count.between 1 Count.limit "stability" draws

    /// √(ν/χ²ᵥ) for each draw: a normal vector times this is Student's t.
    let private widening (key: Key) draws (freedom: int) : float[] =
        let squares = Tensor.normal key DType.Float64 [ draws; freedom ] |> Tensor.square |> Tensor.sumAxes [ 1 ]
        squares.ToArray() |> Array.map (fun sum -> sqrt (float freedom / sum))

    /// Means of samples, drawn again: Student's t with m − 1 degrees of freedom about the means, with the covariance
    /// that the samples of different quantities have, as combinations Σ gⱼ(xⱼ − x̄)/√(m(m − 1)) with normal gⱼ. Each
    /// quantity has m samples, from the same vectors; quantities without samples are exact. Result [draw][quantity].
    let means (key: Key) (draws: int) (values: float[]) (samples: float[][]) : float[][] =
        checkDraws draws
        let m = samples |> Array.fold (fun most ofItem -> max most ofItem.Length) 0

        if m = 0 then
            Array.init draws (fun _ -> Array.copy values)
        elif m = 1 then
            Fail.range "stability: an error bar needs two samples at least, and there was 1"
        else
            let keys = key.Split 2
            let weights = (Tensor.normal keys[0] DType.Float64 [ draws * m ]).ToArray()
            let scale = widening keys[1] draws (m - 1)
            let root = sqrt (float m * float (m - 1))

            Array.init draws (fun d ->
                Array.map2
                    (fun value (ofItem: float[]) ->
                        let mutable sum = 0.0

                        for j in 0 .. ofItem.Length - 1 do
                            sum <- sum + weights[d * m + j] * (ofItem[j] - value)

                        value + scale[d] * sum / root)
                    values
                    samples)

    /// The same for quantities of which only the standard errors are known: independent of each other, but for the
    /// common degrees of freedom.
    let independent (key: Key) (draws: int) (freedom: int) (values: float[]) (errors: float[]) : float[] seq =
        checkDraws draws
        let scale = widening (key.FoldIn(uint32 draws)) draws (max 1 freedom)

        seq {
            for d in 0 .. draws - 1 do
                let normal = (Tensor.normal (key.FoldIn(uint32 d)) DType.Float64 [ values.Length ]).ToArray()
                Array.init values.Length (fun i -> values[i] + scale[d] * errors[i] * normal[i])
        }

    // ---- rankings

    /// Numbers 0 … n − 1 in the order of their values, and where those are equal in that of others. Sorting numbers
    /// with their values is several times faster than sorting pairs.
    let order (values: float[]) (others: float[]) : int[] =
        let keys, items = Array.copy values, Array.init values.Length id
        Array.Sort(keys, items)
        let mutable first = 0

        for i in 1 .. keys.Length do
            if i = keys.Length || keys[i] <> keys[first] then
                if i - first > 1 then
                    let run = items[first .. i - 1]
                    let inner = run |> Array.map (fun item -> others[item])
                    Array.Sort(inner, run)
                    Array.blit run 0 items first run.Length

                first <- i

        items

    /// Merges two sorted halves and counts the pairs that were in the other order.
    let rec private inversions (values: float[]) (buffer: float[]) first count : int64 =
        if count < 2 then
            0L
        else
            let half = count / 2

            let mutable found =
                inversions values buffer first half + inversions values buffer (first + half) (count - half)

            let mutable i, j = first, first + half

            for k in first .. first + count - 1 do
                if j >= first + count || (i < first + half && values[i] <= values[j]) then
                    buffer[k] <- values[i]
                    i <- i + 1
                else
                    buffer[k] <- values[j]
                    found <- found + int64 (first + half - i)
                    j <- j + 1

            Array.blit buffer first values first count
            found

    /// Pairs of equal neighbours in a sorted sequence.
    let private ties (same: int -> int -> bool) count : int64 =
        let mutable total, run = 0L, 1L

        for i in 1..count do
            if i < count && same (i - 1) i then
                run <- run + 1L
            else
                total <- total + run * (run - 1L) / 2L
                run <- 1L

        total

    /// Kendall's τ_b between two sequences, in n log n steps (Knight 1966): (concordant − discordant) pairs over the
    /// geometric mean of the numbers of pairs that are not tied in one and in the other. 1 where one of them is tied
    /// throughout.
    let kendallTau (a: float[]) (b: float[]) : float =
        let n = a.Length
        let order = order a b
        let x, y = order |> Array.map (fun i -> a[i]), order |> Array.map (fun i -> b[i])
        let tiedX = ties (fun i j -> x[i] = x[j]) n
        let tiedBoth = ties (fun i j -> x[i] = x[j] && y[i] = y[j]) n
        let discordant = inversions y (Array.zeroCreate n) 0 n
        let tiedY = ties (fun i j -> y[i] = y[j]) n
        let pairs = int64 n * int64 (n - 1) / 2L
        let concordant = pairs - tiedX - tiedY + tiedBoth - discordant

        if tiedX = pairs || tiedY = pairs then
            1.0
        else
            float (concordant - discordant) / sqrt (float (pairs - tiedX) * float (pairs - tiedY))

    let stability (names: string[]) (values: float[]) (draws: float[][]) : RankingStability =
        RankingStability(names, values, draws, draws |> Array.map (kendallTau values))
