namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// How often a rule with a relative error holds it, and what it spends: ten spectra, turned by three random
/// reflections, signs as probes.
module Sequential =

    let private n = 100

    let private spectra: (string * (int -> float)) list =
        [
            "flat", fun i -> 1.0 + 0.3 * float i / float n
            "uniform", fun i -> float (i + 1) / float n
            "1/(i+1)", fun i -> 1.0 / float (i + 1)
            "0.97^i", fun i -> Math.Pow(0.97, float i)
            "0.7^i", fun i -> Math.Pow(0.7, float i)
            "0.5^i", fun i -> Math.Pow(0.5, float i)
            "rank 30", fun i -> if i < 30 then 1.0 else 0.0
            "outlier", fun i -> if i = 0 then 1e6 else float i / float n
            "halves", fun i -> if i < n / 2 then 1.0 else 0.1
            "indefinite", fun i -> float i / float n - 0.4
        ]

    /// A = HᵀΛH, H a product of reflections.
    type private Rotated(name: string, eigenvalues: float[], reflections: float[][]) =
        let reflect (y: float[]) (v: float[]) =
            let twice = 2.0 * Array.fold2 (fun sum a b -> sum + a * b) 0.0 v y
            Array.map2 (fun y v -> y - twice * v) y v

        let turn y = Array.fold reflect y reflections

        member _.Name = name

        /// z∘Az.
        member _.Weighted(z: float[]) : float[] =
            let product = Array.foldBack (fun v y -> reflect y v) reflections (Array.map2 (*) eigenvalues (turn z))
            Array.map2 (*) z product

        member _.Diagonal: float[] =
            Array.init n (fun i ->
                turn (Array.init n (fun j -> if i = j then 1.0 else 0.0))
                |> Array.map2 (fun l y -> l * y * y) eigenvalues
                |> Array.sum)

    let private matrix seed (name, eigenvalue) =
        let random = Random(seed: int)

        let normal _ = sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

        let direction _ =
            let v = Array.init n normal
            let length = sqrt (Array.sumBy (fun x -> x * x) v)
            v |> Array.map (fun x -> x / length)

        Rotated(name, Array.init n eigenvalue, Array.init 3 direction)

    /// What is learnt of a sample z∘Az. A divergence is a trace whose skew part, which may be any, leaves the forms as
    /// they are.
    let private quantities: (string * (float[] -> float[])) list =
        [
            "trace, divergence", fun x -> [| Array.sum x |]
            "blocks", Array.chunkBySize (n / 5) >> Array.map Array.sum
            "diagonal", id
        ]

    let private length (x: float[]) = sqrt (Array.sumBy (fun x -> x * x) x)
    let private distance x y = length (Array.map2 (-) x y)

    /// Samples of one quantity, with what a plan wants to know of them.
    type private Samples(size: int) =
        let moments = Array.init size (fun _ -> RunningMoments())
        let dimension = ErrorDimension(size, (Tensor.ofArray [ 1 ] [| 0.0 |]).Device)
        let first = ResizeArray<float>()

        let skewness () =
            if size > 1 then
                0.0
            else
                let mean = Seq.average first
                let moment power = first |> Seq.averageBy (fun x -> Math.Pow(x - mean, power))
                if moment 2.0 > 0.0 then moment 3.0 / Math.Pow(moment 2.0, 1.5) else 0.0

        member _.Count = moments[0].Count
        member _.Mean = moments |> Array.map _.Mean

        member _.Add(x: float[]) =
            Array.iter2 (fun (m: RunningMoments) x -> m.Add x) moments x

            if size > 1 then dimension.Add(Tensor.ofArray [ size ] x) else first.Add x[0]

        member this.Summary: Summary =
            let error = moments |> Array.map _.StandardError |> length

            {
                Value = length this.Mean
                StandardError = error
                Independent = this.Count
                Spread = error * sqrt (float this.Count)
                Skewness = skewness ()
                Law = SampleLaw.symmetric
                Dimension = dimension.Value
                IsExact = false
            }

    let private signs (random: Random) = Array.init n (fun _ -> if random.Next 2 = 0 then -1.0 else 1.0)

    /// The samples of a run and what it found; nothing where its forecast was to multiply all columns.
    let private run (target: Target) size (draw: unit -> float[]) =
        let samples = Samples size

        let rec go until history =
            while samples.Count < until do
                samples.Add(draw ())

            let history = history @ [ samples.Summary ]

            match SequentialDesign.decide target history with
            | Stop -> Some struct (samples.Count, samples.Mean)
            | ContinueTo _ when SequentialDesign.forecast target history >= float n -> None
            | ContinueTo next -> go next history

        go (SequentialDesign.first target) []

    /// The least fixed number of samples whose mean is within the error in 95 % of repetitions: from the quantile of
    /// its error, which falls as 1/√N, at a first guess and then at the second.
    let private ideal error (truth: float[]) (draw: unit -> float[]) =
        let repetitions = 2000

        let next guess =
            let count = int (max 1.0 (min guess 1000.0))

            let mean _ =
                let sum = Array.zeroCreate truth.Length

                for _ in 1..count do
                    draw () |> Array.iteri (fun i x -> sum[i] <- sum[i] + x)

                sum |> Array.map (fun x -> x / float count)

            let errors = Array.init repetitions (mean >> distance truth) |> Array.sort
            float count * (errors[repetitions * 95 / 100] / (error * length truth)) ** 2.0

        let rough = next 4.0
        if rough > 2.0 * float n then rough else next rough

    let private report repetitions (matrix: Rotated) (quantity, learn: float[] -> float[]) error =
        let truth = learn matrix.Diagonal
        let random = Random 17
        let draw () = learn (matrix.Weighted(signs random))
        let best = ideal error truth draw

        // Smaller ones end at the least number of samples, larger ones by all columns.
        if best >= 6.0 && best <= 1.2 * float n then
            let target = { Error = error; IsRelative = true; Confidence = 0.95; IsIndependent = true }
            let runs = Array.init repetitions (fun _ -> run target truth.Length draw)
            let least = SequentialDesign.first target
            let counted = runs |> Array.choose id |> Array.filter (fun struct (m, _) -> m > least)
            let share count = 100.0 * float count / float repetitions
            let exact = runs |> Array.filter _.IsNone |> Array.length
            let holds struct (_, value) = if distance value truth <= error * length truth then 100.0 else 0.0

            if counted.Length > 0 then
                let coverage = Array.averageBy holds counted
                let spent = counted |> Array.averageBy (fun struct (m, _) -> float m)
                let ends = repetitions - exact - counted.Length

                let label = $"  %-11s{matrix.Name} %-18s{quantity} %4.0f{100.0 * error} %% %8.1f{best}"
                let cost = $"%8.1f{coverage} %% %7.2f{spent / best} %8.1f{spent}"
                printfn $"{label} {cost} %7.0f{share exact} %% %6.0f{share ends} %%"

    /// Prints, for each spectrum, quantity and relative error, how often the error held among the runs that sampled
    /// more than the least and did not end exactly, and what these spent beside the best fixed size.
    let table (repetitions: int) =
        printfn $"relative errors at 95 %%, n = {n}, {repetitions} repetitions; ideal: the best fixed size"
        printfn "  spectrum    quantity            error    ideal   coverage  /ideal  samples    exact   least"

        for i, spectrum in List.indexed spectra do
            for quantity in quantities do
                for error in [ 0.2; 0.05; 0.01 ] do
                    report repetitions (matrix (i + 1) spectrum) quantity error
