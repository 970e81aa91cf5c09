namespace Curvature.Bench

open System
open System.Diagnostics
open Curvature
open Curvature.FSharp

/// Taylor mode beside nested first-order derivatives: arithmetic and memory counted, processor time measured in turns,
/// in one run.
module Jets =

    /// A way to compute something of every point of a stack.
    [<NoEquality; NoComparison>]
    type private Way = { Name: string; Of: Tensor -> Tensor }

    let private network (widths: int list) : Tensor -> Tensor =
        let layer i (inputs, outputs) =
            let draw seed shape = Tensor.normal (Key.OfSeed(int64 seed)) DType.Float64 shape
            draw i [ inputs; outputs ] / sqrt (float inputs), 0.1 * draw (i + 100) [ outputs ]

        let layers = widths |> List.pairwise |> List.mapi layer
        let affine h (weights, biases) = Tensor.matmul h weights + biases

        fun x ->
            let hidden = layers |> List.truncate (layers.Length - 1) |> List.fold (fun h l -> tanh (affine h l)) x
            affine hidden (List.last layers) |> Tensor.sum

    let private basis n = Tensor.eye DType.Float64 n

    /// Σ vᵀHv over all axes, from adjoints that are computed once.
    let private byForms n f (x: Tensor) = Tensor.sum (vmap (quadraticForm f x) (basis n))

    /// Σ eᵢᵀHeᵢ, forward over reverse, all directions as one stack.
    let private byProducts n f (x: Tensor) =
        let _, program = linearize (grad f) x
        Tensor.sum (vmap (fun e -> Tensor.dot e (program.Apply e)) (basis n))

    /// The same, one direction after the other.
    let private oneByOne n (f: Tensor -> Tensor) (x: Tensor) =
        List.init n (fun i -> let e = Tensor.item 0 i (basis n) in Tensor.dot e (hessianv f x e)) |> List.reduce (+)

    let private megabytes (bytes: int64) = float bytes / 1e6

    let private processorTime (run: unit -> Tensor) =
        let own = Process.GetCurrentProcess()
        let before = own.TotalProcessorTime
        let start = Stopwatch.GetTimestamp()
        run () |> ignore
        let wall = Stopwatch.GetElapsedTime(start).TotalMilliseconds
        own.Refresh()
        (own.TotalProcessorTime - before).TotalMilliseconds, wall

    /// Runs the ways in turns, and prints each beside the first.
    let private compare (title: string) (points: Tensor) (turns: int) (ways: Way list) =
        printfn $"{title}, {points.Shape[0]} points"
        let header = $"""{"GFLOP", 8} {"ratio", 6} {"MB", 8} {"ratio", 6} {"CPU ms", 8} {"ratio", 6} {"ms", 8}"""
        printfn $"""  {"", -44} {header} {"error", 8}"""
        let maps = ways |> List.map (fun way -> Compile.family (fun x -> [ x ], vmap way.Of) points)
        let results = maps |> List.map (fun map -> map.Apply points)
        let times = List.init turns (fun _ -> maps |> List.map (fun map -> processorTime (fun () -> map.Apply points)))

        let median i pick = times |> List.map (fun turn -> pick (List.item i turn)) |> Measured.median

        ways
        |> List.iteri (fun i way ->
            let map, first = maps[i], maps.Head

            let difference =
                (Tensor.norm (results[i] - results.Head)).ToScalar() / (Tensor.norm results.Head).ToScalar()

            let flops, bytes = map.Flops / first.Flops, float map.ScratchBytes / float first.ScratchBytes
            let cpu = median i fst

            stdout.WriteLine(
                $"  {way.Name, -44} {map.Flops / 1e9, 8:F3} {flops, 6:F2} "
                + $"{megabytes map.ScratchBytes, 8:F2} {bytes, 6:F2} "
                + $"{cpu, 8:F1} {cpu / median 0 fst, 6:F2} {median i snd, 8:F1} {difference, 8:E1}"
            ))

    let private laplacians (batch: int) =
        let n = 50
        let f = network [ n; 768; 768; 512; 512; 1 ]
        let points = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ batch; n ]

        compare
            "Laplacian of 50-768-768-512-512-1 (tanh), Float64"
            points
            9
            [
                { Name = "collapsed Taylor mode (laplacian)"; Of = laplacian f }
                { Name = "quadratic forms with adjoints"; Of = byForms n f }
                { Name = "forward over reverse, directions stacked"; Of = byProducts n f }
                { Name = "forward over reverse, one by one"; Of = oneByOne n f }
            ]

    let private biharmonics (batch: int) =
        let n = 5
        let f = network [ n; 768; 768; 512; 512; 1 ]
        let points = Tensor.normal (Key.OfSeed 7L) DType.Float64 [ batch; n ]

        compare
            "Biharmonic operator of 5-768-768-512-512-1 (tanh), Float64"
            points
            9
            [
                { Name = "collapsed Taylor mode (biharmonic)"; Of = biharmonic f }
                {
                    Name = "nested products, directions stacked"
                    Of = byProducts n (byProducts n f)
                }
                { Name = "nested products, one by one"; Of = oneByOne n (oneByOne n f) }
            ]

    /// (1 − |x|²)·Σ aⱼ tanh(wⱼ·x + bⱼ), and its Laplacian at a point of the unit ball.
    let private ball n width =
        let draw seed shape = Tensor.normal (Key.OfSeed seed) DType.Float64 shape
        let w, a, b = 0.5 * draw 1L [ n; width ], draw 2L [ width ] / float width, draw 3L [ width ]
        let x = let t = draw 4L [ n ] in t * sqrt (0.5 / (Tensor.dot t t).ToScalar())
        let f (x: Tensor) = (1.0 - Tensor.dot x x) * Tensor.dot a (tanh (Tensor.matmul x w + b))
        let projection = Tensor.matmul x w
        let y = tanh (projection + b)
        let slope = 1.0 - y * y
        let curvature = Tensor.dot a (-2.0 * y * slope * Tensor.sumAxes [ 0 ] (w * w))
        let truth = -2.0 * float n * Tensor.dot a y - 4.0 * Tensor.dot a (slope * projection) + 0.5 * curvature
        f, x, truth.ToScalar()

    let private stochastic () =
        printfn "Stochastic Laplacian of (1 − |x|²)·N(x), 64 samples in blocks of 16"
        printfn $"""  {"dimensions", 10} {"truth", 12} {"found", 12} {"error/SE", 9} {"ms", 8} {"MB a sample", 12}"""

        for n in [ 12_500; 25_000; 50_000; 100_000 ] do
            let f, x, truth = ball n 16
            let start = Stopwatch.GetTimestamp()
            let found = StochasticTaylor.laplacian (StoppingRule.matvecs 64) (Key.OfSeed 5L) f x
            let seconds = Stopwatch.GetElapsedTime(start).TotalSeconds
            let map = Compile.family (fun x -> [ x ], fun v -> (jet 2 f x [ v ])[1]) x
            let errors = abs (found.Value - truth) / found.StandardError

            stdout.WriteLine(
                $"  {n, 10} {truth, 12:F3} {found.Value, 12:F3} {errors, 9:F2} {1e3 * seconds, 8:F0} "
                + $"{megabytes map.ScratchBytes, 12:F3}"
            )

    let run () =
        laplacians 8
        biharmonics 8
        stochastic ()
        laplacians 64
