namespace Curvature

open System
open System.Diagnostics
open Curvature.FSharp

/// A link between machines.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ClusterLink internal (latency: float, bandwidth: float) =
    /// Seconds for an empty message, one way.
    member _.Latency = latency

    /// Bytes a second.
    member _.Bandwidth = bandwidth

    override _.ToString() = $"{1e6 * latency} µs, {1e-9 * bandwidth} GB/s"

    member internal this.Text = this.ToString()

/// What is to be done, on one machine.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ClusterWork internal (parameters: int, bytes: int, groups: int, seconds: float) =
    /// The length of a vector.
    member _.Parameters = parameters

    /// The bytes of an element of a vector: 4 or 8.
    member _.ElementBytes = bytes

    /// How many groups of batches there are.
    member _.Groups = groups

    /// How long one product or form with all data takes on one machine, in a block as it is run.
    member _.Seconds = seconds

    override _.ToString() = $"{parameters} parameters, {groups} groups, {seconds} s a vector"

    member internal this.Text = this.ToString()

/// What a computation on a cluster costs by the model.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type ClusterCost internal (rounds: int, bytes: float, seconds: float, alone: float) =
    /// How many questions are asked, one after the other.
    member _.Rounds = rounds

    /// Bytes that are moved, between all machines.
    member _.Bytes = bytes

    /// How long it takes.
    member _.Seconds = seconds

    /// How many times as fast as one machine.
    member _.Speedup = alone / seconds

    override _.ToString() = $"{rounds} rounds, {bytes} bytes, {seconds} s, {alone / seconds} times as fast"

    member internal this.Text = this.ToString()

namespace Curvature.FSharp

open System
open Curvature

/// A model of what estimators cost on a cluster: questions go to all workers along a binomial tree, each worker
/// computes on its groups, and partial sums come back along the same tree.
[<RequireQualifiedAccess>]
module ClusterCost =

    /// A link, from the seconds that an empty message takes one way, and bytes a second. Raises ArgumentRangeException
    /// for what is not above 0 and finite.
    let link (latency: float) (bandwidth: float) : ClusterLink =
        if not (latency > 0.0 && bandwidth > 0.0 && Double.IsFinite latency && Double.IsFinite bandwidth) then
            Fail.range $"ClusterCost.link: {latency} s and {bandwidth} bytes a second are not a link"

        ClusterLink(latency, bandwidth)

    /// Work on vectors of Float32 or Float64 numbers over groups of batches of the same size, where a product or form
    /// with all of them takes so many seconds on one machine. Raises ArgumentRangeException for numbers below 1 and
    /// seconds that are negative or not finite.
    let work (parameters: int) (dtype: DType) (groups: int) (seconds: float) : ClusterWork =
        if parameters < 1 || groups < 1 || not (seconds >= 0.0 && Double.IsFinite seconds) then
            Fail.range $"ClusterCost.work: {parameters} parameters in {groups} groups at {seconds} s are no work"

        ClusterWork(parameters, (if dtype = DType.Float64 then 8 else 4), groups, seconds)

    let private ranges workers groups = Array.init workers (fun worker -> FixedTree.range worker workers groups)

    /// What a question and an answer have beside numbers, in bytes.
    let private questionBytes, answerBytes, nodeBytes = 64.0, 50.0, 12.0

    /// Rounds of `block` vectors each. A question has so many bytes for the block beside its head, an answer so many
    /// Float64 numbers for each node of the tree.
    let private rounds (link: ClusterLink) (work: ClusterWork) workers (vectors, block) ofQuestion numbers =
        if workers < 1 || vectors < 1 || block < 1 then
            Fail.range $"ClusterCost: {vectors} vectors in blocks of {block} on {workers} workers cannot be"

        let count = (vectors + block - 1) / block
        let ranges = ranges workers work.Groups

        let largest = ranges |> Seq.map (fun (struct (low, high)) -> high - low) |> Seq.max

        let answers =
            ranges
            |> Array.map (fun range ->
                let nodes = float (FixedTree.cover work.Groups range).Length
                if nodes = 0.0 then 0.0 else answerBytes + nodes * (nodeBytes + 8.0 * numbers))

        let question = questionBytes + ofQuestion
        let asked = answers |> Array.filter (fun bytes -> bytes > 0.0)
        let levels = Math.Ceiling(Math.Log2(float workers))
        let compute = work.Seconds * float vectors * float largest / float work.Groups

        let moved =
            if levels = 0.0 then
                0.0
            else
                levels * (question + Array.max answers) / link.Bandwidth

        let seconds = compute + float count * (2.0 * levels * link.Latency + moved)

        ClusterCost(
            count,
            float count * (question * float asked.Length + Array.sum asked),
            seconds,
            work.Seconds * float vectors
        )

    /// A trace of Hutchinson's from so many random vectors, in blocks: the vectors are drawn by the workers, and a
    /// number comes back for each.
    let trace (vectors: int) (block: int) (workers: int) (link: ClusterLink) (work: ClusterWork) : ClusterCost =
        rounds link work workers (vectors, block) 0.0 (float block)

    /// Traces of so many blocks of parameters, as `trace`.
    let blockTraces (ranges: int) (vectors: int, block: int) (workers: int) (link: ClusterLink) (work: ClusterWork) =
        rounds link work workers (vectors, block) (4.0 + 8.0 * float ranges) (float (block * ranges))

    /// Products with random vectors that workers draw, as the first pass of a sketch or a diagonal needs them.
    let drawnProducts (vectors: int) (block: int) (workers: int) (link: ClusterLink) (work: ClusterWork) =
        rounds link work workers (vectors, block) 0.0 (float block * float work.Parameters)

    /// Products with vectors that are sent, as eigenpairs, densities and solvers need them.
    let products (vectors: int) (block: int) (workers: int) (link: ClusterLink) (work: ClusterWork) : ClusterCost =
        let numbers = float block * float work.Parameters
        rounds link work workers (vectors, block) (float work.ElementBytes * numbers) numbers
