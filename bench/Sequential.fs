namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// How often a rule with a relative error holds it, and what it spends: the library's own runs on the ten spectra.
module Sequential =

    let private n = 100

    /// What a run came to.
    [<NoEquality; NoComparison>]
    type private Outcome = { Samples: int; IsExact: bool; Value: float[] }

    /// A quantity of a matrix: its true value, the library's run, and what one sample says of it.
    [<NoEquality; NoComparison>]
    type private Quantity =
        {
            Name: string
            Truth: float[]
            Run: StoppingRule -> Key -> Outcome
            /// From the products z∘Az of a vector of signs; nothing for methods that keep their vectors.
            OfSample: (float[] -> float[]) option
        }

    let private ofScalar (estimate: Estimate<float>) =
        {
            Samples = estimate.Samples
            IsExact = estimate.IsExact
            Value = [| estimate.Value |]
        }

    let private ofVector (estimate: Estimate<Tensor>) =
        {
            Samples = estimate.Samples
            IsExact = estimate.IsExact
            Value = estimate.Value.ToArray()
        }

    let private ofBlocks (blocks: BlockTrace[]) =
        { ofScalar blocks[0].Trace with Value = blocks |> Array.map _.Trace.Value }

    /// A field whose Jacobian has the matrix as its symmetric part, and a skew part beside it.
    let private field (a: Tensor) : Tensor -> Tensor =
        let random = Tensor.normal (Key.OfSeed 31L) DType.Float64 [ n; n ]
        let jacobian = a + 0.1 * (random - Tensor.transpose random)
        fun x -> Tensor.matmul jacobian x

    let private quantities (eigenvalues: float[]) (a: Tensor) (operator: LinearOperator) : Quantity list =
        let entries = a.ToArray()
        let diagonal = Array.init n (fun i -> entries[i * n + i])
        let trace = [| Array.sum diagonal |]
        let fifths = Array.chunkBySize (n / 5) >> Array.map Array.sum
        let blocks = [ for i in 0..4 -> ParameterBlock($"fifth {i}", i * n / 5, n / 5) ]
        let point = Tensor.zeros DType.Float64 [ n ]

        let sampled name truth ofSample run = { Name = name; Truth = truth; Run = run; OfSample = Some ofSample }

        let keeping name truth run = { Name = name; Truth = truth; Run = run; OfSample = None }

        [
            sampled "trace" trace (Array.sum >> Array.singleton) (fun rule key ->
                Hutchinson.trace rule key operator |> ofScalar)
            sampled "divergence" trace (Array.sum >> Array.singleton) (fun rule key ->
                Divergence.hutchinson rule key (field a) point |> ofScalar)
            sampled "blocks" (fifths diagonal) fifths (fun rule key ->
                Hutchinson.estimate Probe.rademacher (Measurement.blockTraces blocks) rule key operator |> ofBlocks)
            sampled "diagonal" diagonal id (fun rule key -> Hutchinson.diagonal rule key operator |> ofVector)
            keeping "XTrace" trace (fun rule key -> XTrace.estimate rule key operator |> ofScalar)
            keeping "XDiag" diagonal (fun rule key -> XDiag.estimate rule key operator |> ofVector)

            if Array.min eigenvalues >= 0.0 then
                keeping "XNysTrace" trace (fun rule key -> XNysTrace.estimate rule key operator |> ofScalar)
                keeping "XNysDiag" diagonal (fun rule key -> XNysDiag.estimate rule key operator |> ofVector)
        ]

    let private length (x: float[]) = sqrt (Array.sumBy (fun x -> x * x) x)
    let private distance x y = length (Array.map2 (-) x y)

    /// Vectors of signs, with z∘Az for each.
    let private samples count (a: Tensor) : float[][] =
        let z = Probe.draw Probe.rademacher (Key.OfSeed 17L) n (0, count) DType.Float64
        (z * Tensor.matmul z a).ToArray() |> Array.chunkBySize n

    /// The least fixed number of samples whose mean is within the error in 95 % of repetitions: from the quantile of
    /// its error, which falls as 1/√N, at a first guess and then at the second.
    let private ideal error (truth: float[]) (learnt: float[][]) =
        let repetitions = 2000
        let random = Random 17

        let next guess =
            let count = int (max 1.0 (min guess 1000.0))

            let mean _ =
                let sum = Array.zeroCreate truth.Length

                for _ in 1..count do
                    learnt[random.Next learnt.Length] |> Array.iteri (fun i x -> sum[i] <- sum[i] + x)

                sum |> Array.map (fun x -> x / float count)

            let errors = Array.init repetitions (mean >> distance truth) |> Array.sort
            float count * (errors[repetitions * 95 / 100] / (error * length truth)) ** 2.0

        let rough = next 4.0
        if rough > 2.0 * float n then rough else next rough

    let private report (keys: Key[]) least spectrum (drawn: float[][]) (quantity: Quantity) error =
        let best =
            quantity.OfSample |> Option.map (fun ofSample -> ideal error quantity.Truth (drawn |> Array.map ofSample))

        // Smaller ones end at the least number of samples, larger ones by all columns.
        if best |> Option.forall (fun best -> best >= 6.0 && best <= 1.2 * float n) then
            let runs = keys |> Array.map (quantity.Run(StoppingRule.relativeError error))
            let counted = runs |> Array.filter (fun run -> not run.IsExact && run.Samples > least)
            let share count = 100.0 * float count / float runs.Length
            let exact = runs |> Array.filter _.IsExact |> Array.length
            let holds run = distance run.Value quantity.Truth <= error * length quantity.Truth
            let percent runs = share (runs |> Array.filter holds |> Array.length)

            if counted.Length > 0 then
                let coverage = 100.0 * percent counted / share counted.Length
                let spent = counted |> Array.averageBy (fun run -> float run.Samples)

                let ofIdeal =
                    match best with
                    | Some best -> $"%8.1f{best} %7.2f{spent / best}"
                    | None -> "       -       -"

                let cost = $"%8.1f{coverage} %% %8.1f{percent runs} %% %8.1f{spent}"
                let ends = $"%6.0f{share exact} %% %6.0f{share (runs.Length - exact - counted.Length)} %%"
                printfn $"  %-11s{spectrum} %-11s{quantity.Name} %4.0f{100.0 * error} %% {ofIdeal} {cost} {ends}"

    /// Prints, for each spectrum, quantity and relative error, how often the error held among the runs that sampled
    /// more than the least and did not end exactly, how often it held among all, and what the former spent beside the
    /// best fixed size.
    let table (repetitions: int) =
        let keys = (Key.OfSeed 2027L).Split repetitions
        printfn $"relative errors at 95 %%, n = {n}, {repetitions} repetitions; ideal: the best fixed size"
        printfn "  spectrum    quantity    error    ideal  /ideal   coverage   of all   samples   exact   least"

        for spectrum, eigenvalues in TurnedSpectra.all n do
            let a = TurnedSpectra.matrix DType.Float64 eigenvalues
            let drawn = samples 20_000 a
            let operator = TurnedSpectra.operator DType.Float64 eigenvalues

            for quantity in quantities eigenvalues a operator do
                for error in [ 0.2; 0.05; 0.01 ] do
                    report keys 8 spectrum drawn quantity error
