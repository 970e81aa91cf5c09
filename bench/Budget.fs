namespace Curvature.Bench

open System
open System.IO
open Curvature
open Curvature.FSharp

/// What each method spends to know a trace to 1 %: until half of its own 95 % interval is at most 1 % of the trace.
module Budget =

    let private goal = 0.01

    /// The Gauss–Newton matrix of a network of 64, 32 tanh and 10 units on the first 200 handwritten digits of
    /// digits.csv.gz, n = 2410.
    let private digits (folder: string) : LinearOperator =
        let data = Csv.read (Path.Combine(folder, "digits.csv.gz"))
        let x = Tensor.convert DType.Float64 (Tensor.slice 0 0 200 data.Inputs) / 16.0
        let targets = Tensor.oneHot DType.Float64 10 (Tensor.slice 0 0 200 data.Labels)

        let model theta =
            match Tensor.split 0 [ 2048; 32; 320; 10 ] theta with
            | [ w1; b1; w2; b2 ] ->
                let hidden = Tensor.tanh (Tensor.einsum "ni,hi->nh" x (Tensor.reshape [ 32; 64 ] w1) + b1)
                Tensor.einsum "nh,oh->no" hidden (Tensor.reshape [ 10; 32 ] w2) + b2
            | _ -> invalidOp "split gave another number of parts"

        let loss logits = Tensor.mean (Tensor.softmaxCrossEntropy logits targets)
        let theta = Tensor.ofArray [ 2410 ] (Array.init 2410 (fun i -> 0.3 * sin (float (i + 1))))
        GaussNewton.at model loss theta

    /// A method, with its estimate for a trace that it is not told, but for the one that needs an absolute error.
    [<NoEquality; NoComparison>]
    type private Method = { Name: string; Estimate: float -> Key -> LinearOperator -> Estimate<float> }

    let private stop = StoppingRule.relativeError goal

    /// Those that stop by themselves.
    let private stopping: Method list =
        [
            { Name = "Hutchinson"; Estimate = fun _ -> Hutchinson.trace stop }
            { Name = "XTrace"; Estimate = fun _ -> XTrace.estimate stop }
            { Name = "XNysTrace"; Estimate = fun _ -> XNysTrace.estimate stop }
            {
                Name = "A-Hutch++, told the trace"
                Estimate = fun trace -> AdaptiveHutchPlusPlus.estimate (goal * trace) 0.025
            }
        ]

    /// Those that are told how many products to take: the fewest that are enough, which nobody knows beforehand.
    let private told: (string * (int -> Key -> LinearOperator -> Estimate<float>)) list =
        [
            "Hutch++", StoppingRule.matvecs >> HutchPlusPlus.estimate
            "NA-Hutch++", StoppingRule.matvecs >> NonadaptiveHutchPlusPlus.estimate
            "XTrace", StoppingRule.matvecs >> XTrace.estimate
            "XNysTrace", StoppingRule.matvecs >> XNysTrace.estimate
        ]

    let private keys repetitions = (Key.OfSeed 77L).Split repetitions

    /// A quadratic form is half the work of a product.
    let private work (e: Estimate<float>) = float e.Matvecs + 0.5 * float e.QuadraticForms

    let private report name (trace: float) (results: Estimate<float>[]) : float =
        let error (e: Estimate<float>) = abs (e.Value / trace - 1.0)
        let mean f = Array.averageBy f results
        let products, forms = mean (fun e -> float e.Matvecs), mean (fun e -> float e.QuadraticForms)
        let within = mean (fun e -> if error e <= goal then 100.0 else 0.0)
        let spent, off = mean work, 100.0 * mean error
        printfn $"  %-26s{name} %8.1f{spent} %9.1f{products} %9.1f{forms}  %8.2f{off} %%   %6.1f{within} %%"
        spent

    /// The fewest products with which the mean half-width is small enough.
    let private fewest repetitions (trace: float) operator (estimate: int -> Key -> LinearOperator -> Estimate<float>) =
        let isEnough m =
            let half key =
                let interval = (estimate m key operator).Interval 0.95
                0.5 * (interval.High - interval.Low)

            keys repetitions |> Array.averageBy half <= goal * trace

        let rec search low high =
            if high - low <= max 1 (low / 20) then
                high
            else
                let middle = (low + high) / 2
                if isEnough middle then search low middle else search middle high

        let rec upper m = if m > operator.Columns || isEnough m then m else upper (2 * m)

        let high = upper 8
        search (max 6 (high / 2)) high

    let private problem repetitions name (operator: LinearOperator) trace =
        printfn $"\n{name}: n = {operator.Columns}, trace {trace:G6}"
        printfn "  method                         work  products     forms  mean error  within 1 %%"
        let run estimate = keys repetitions |> Array.map (fun key -> estimate key operator)

        let spent =
            [
                for entry in stopping do
                    yield report entry.Name trace (run (entry.Estimate trace))

                for name, estimate in told do
                    let m = fewest (min repetitions 10) trace operator estimate

                    if m <= operator.Columns then
                        yield report $"{name}, told m = {m}" trace (run (estimate m))
            ]

        let chosen = report "automatic" trace (run (fun key operator -> (Automatic.trace stop key operator).Estimate))
        printfn $"  automatic / best of all: {chosen / List.min spent:F2}"
        let first = Array.head (keys 1)
        printfn $"  {Automatic.trace stop first operator}"

    /// Prints what is spent on each problem, as means over some repetitions; on digits where a folder has them.
    let run (data: string option) (repetitions: int) =
        printf $"until half of a 95 %% interval is 1 %% of the trace, {repetitions} repetitions; work counts "
        printfn "a quadratic form as half a product"

        for name in [ "poly"; "exp"; "flat"; "step" ] do
            let eigenvalues = Spectra.eigenvalues |> List.find (fst >> (=) name) |> snd
            problem repetitions name (Spectra.dense eigenvalues) (Array.sum eigenvalues)

        match data with
        | Some folder ->
            let operator = digits folder
            problem repetitions "Gauss–Newton matrix of a network on digits" operator (Exact.trace operator).Value
        | None -> printfn "\nhandwritten digits are left out: --data names a folder with digits.csv.gz"
