module Curvature.Tests.Unit.Plans.GrowthTests

open System
open System.Threading
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A primitive that counts how often a pass asks for its rules: the sum of its operands.
type private Counted(visits: int ref) =
    inherit Primitive("Counted", box visits)

    let count () = visits.Value <- visits.Value + 1

    override _.Infer operands =
        count ()
        [| operands[0] |]

    override _.Evaluation =
        count ()
        Evaluation.Compute(fun emitter sources targets -> emitter.CopyTo(sources[0], targets[0]))

    override _.Jvp(_, _, tangents) = tangents
    override _.Batch(_, operands, _) = operands

    override _.Equals other =
        count ()
        obj.ReferenceEquals(visits, (other :?> Primitive).Parameters)

    override _.GetHashCode() =
        count ()
        17

/// Programs of n steps, of shapes that a careless pass takes n² for.
module private LongPrograms =

    let chain n (theta: Tensor) : Tensor =
        let mutable x = theta

        for i in 1..n do
            x <- Tensor.tanh (x * (1.0 + 1e-4 * sin (float i)))

        Tensor.sum x

    let private products n (x: Tensor) =
        let a = Tensor.reshape [ 2; 2 ] x
        [ for i in 1..n -> Tensor.matmul a (a * float i) ]

    let sumFromTheLeft n x = products n x |> List.reduce (+) |> Tensor.sum

    let sumFromTheRight n x = List.reduceBack (+) (products n x) |> Tensor.sum

    let oneValueUsedByAll n (x: Tensor) =
        let y = Tensor.exp x
        List.init n (fun i -> Tensor.sin (y * float (i + 1))) |> List.reduce (+) |> Tensor.sum

    let viewsOfViews n (x: Tensor) =
        let mutable y = x

        for _ in 1..n do
            y <- Tensor.reverse 0 y |> Tensor.reshape [ 2; 2 ] |> Tensor.transpose |> Tensor.reshape [ 4 ]

        Tensor.sum (Tensor.square y)

    let joinsOfJoins n (x: Tensor) =
        let mutable y = x

        for i in 1..n do
            y <- Tensor.concat 0 [ Tensor.sin y; Tensor.slice 0 0 1 x ]

        Tensor.sum (Tensor.square y)

    let manyPieces n (x: Tensor) =
        let long = Tensor.concat 0 (List.replicate n x)
        let pieces = Tensor.split 0 (List.replicate n 4) (Tensor.square long)
        pieces |> List.mapi (fun i piece -> Tensor.tanh (piece * float (i + 1))) |> List.reduce (+) |> Tensor.sum

    let all =
        [
            "a chain", chain
            "a sum of products, from the left", sumFromTheLeft
            "a sum of products, from the right", sumFromTheRight
            "one value used by all", oneValueUsedByAll
            "views of views", viewsOfViews
            "a vector of many pieces", manyPieces
        ]

let private theta = Tensor.ofArray [ 4 ] [| 0.3; -0.2; 0.5; 0.1 |]
let private v = Tensor.ofArray [ 4 ] [| 1.0; 0.4; -0.7; 0.2 |]

let private product loss =
    Compile.family (fun theta ->
        let (value, gradient), product = Linearized.gradient loss theta
        [ value; gradient ], product)

/// Runs on a thread with a small stack, which deep recursion would overflow.
let private onSmallStack (f: unit -> unit) =
    let mutable failure: exn = null

    let run () =
        try
            f ()
        with error ->
            failure <- error

    let thread = Thread(run, 256 * 1024)
    thread.Start()
    thread.Join()

    if not (isNull failure) then raise (AggregateException failure)

/// Values that agree to a part of the largest.
let private agree tolerance (expected: Tensor) (actual: Tensor) =
    let largest = expected.ToArray() |> Array.map abs |> Array.max
    Expect.isTrue "the expected values are 0" (largest > 0.0)
    Expect.tensorsClose tolerance (expected / largest) (actual / largest)

/// What it takes to record and compile Hv: equations recorded, equations left, kernels, and bytes of managed
/// memory.
let private work (loss: Tensor -> Tensor) =
    let before = GC.GetAllocatedBytesForCurrentThread()
    let signature = theta.Signature

    let recorded =
        Staging.stage theta.Device [| signature; signature |] (fun inputs ->
            let (value, gradient), product = Linearized.gradient loss inputs[0]
            [| value; gradient; product inputs[1] |])

    let parts = recorded |> Simplify.run [| false; true |] |> Partition.cut 1 2
    let slow, fast = Plan(parts.Slow, 0), Plan(parts.Fast, parts.Fast.Inputs - 1)

    [|
        "equations recorded", recorded.Equations.Length
        "equations compiled", parts.Slow.Equations.Length + parts.Fast.Equations.Length
        "kernels", slow.Running.Length + fast.Running.Length + slow.Binding.Length + fast.Binding.Length
        "bytes allocated", int (GC.GetAllocatedBytesForCurrentThread() - before)
    |]

/// Coefficients of the n-th derivative of tanh as a polynomial in y = tanh x, by y′ = 1 − y².
let rec private coefficients order =
    if order = 0 then
        [| 0.0; 1.0 |]
    else
        let p = coefficients (order - 1)
        let slope = Array.init (p.Length - 1) (fun i -> float (i + 1) * p[i + 1])
        let at i = if i >= 0 && i < slope.Length then slope[i] else 0.0
        Array.init (p.Length + 1) (fun i -> at i - at (i - 2))

[<Tests>]
let tests =
    testList "Unit.Plans.GrowthTests" [
        test "compiled products of a chain of 10,000 steps are the interpreted ones, and need no deep stack" {
            onSmallStack (fun () ->
                let loss = LongPrograms.chain 10_000
                agree 1e-12 (hessianv loss theta v) ((product loss theta).Apply v))
        }

        test "compiled products of a network of 2,000 layers are the interpreted ones" {
            let network = Network.mlp Layer.tanh (List.replicate 2001 3)
            let inputs = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 5; 3 ]
            let theta = 1.5 * Network.initialize (Key.OfSeed 1L) DType.Float64 network
            let loss theta = Tensor.sum (Tensor.square (Network.forward network theta inputs))
            let v = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ theta.Size ]
            onSmallStack (fun () -> agree 1e-11 (hessianv loss theta v) ((product loss theta).Apply v))
        }

        test "views of views and joins of joins need no deep stack" {
            onSmallStack (fun () ->
                for loss in [ LongPrograms.viewsOfViews 3000; LongPrograms.joinsOfJoins 1000 ] do
                    agree 1e-12 (hessianv loss theta v) ((product loss theta).Apply v))
        }

        test "twice the program takes twice the work to compile" {
            for name, program in LongPrograms.all do
                work (program 50) |> ignore
                let once, twice = work (program 1000), work (program 2000)

                for (what, less), (_, more) in Array.zip once twice do
                    let ratio = float more / float less
                    Expect.isTrue $"{name}: {what} grow from {less} to {more}, {ratio:F2} times" (ratio < 2.4)
        }

        testCase "every pass visits an equation a fixed number of times" (fun () ->
            let visits n =
                let visits = ref 0
                let counted = Counted visits

                let program =
                    Staging.stage theta.Device [| theta.Signature |] (fun inputs ->
                        let mutable x = inputs[0]

                        for _ in 1..n do
                            x <- Interpreter.Bind(counted, x)[0]

                        [| x |])

                let parts = program |> Simplify.run [| false |] |> Partition.cut 1 1
                Plan(parts.Slow, 0) |> ignore
                visits.Value

            let first = visits 500
            Expect.equal "visits 1000" (2 * first) (visits 1000))

        test "no tape is longer than fits on the stack" {
            let program =
                Staging.stage theta.Device [| theta.Signature |] (fun inputs -> [| LongPrograms.chain 5000 inputs[0] |])
                |> Simplify.run [| true |]

            let lengths =
                Fusion.steps program
                |> Array.map (fun step ->
                    match step with
                    | Fused(members, _) -> members.Length
                    | _ -> 1)

            Expect.inRange "Array.max lengths" 500 1024 (Array.max lengths)
        }

        test "the 14th derivative of tanh is its polynomial in tanh, interpreted and compiled" {
            let x = Tensor.scalar DType.Float64 0.3
            let y = tanh 0.3
            let expected = coefficients 14 |> Array.mapi (fun i c -> c * y ** float i) |> Array.sum
            let derivative = diffn 14 Tensor.tanh

            for value in [ derivative x; Compile.func derivative x ] do
                Expect.isLessThan "abs (value.ToScalar() / expecte…" (abs (value.ToScalar() / expected - 1.0), 1e-9)
        }

        test "equations of the n-th derivative grow as n³, not as 3ⁿ" {
            let scalar: Signature = { Shape = [||]; DType = DType.Float64 }

            for order in [ 6; 10; 14; 20 ] do
                let program =
                    Staging.stage theta.Device [| scalar |] (fun inputs -> [| diffn order Tensor.tanh inputs[0] |])

                Expect.isLessThan "program.Equations.Length" (program.Equations.Length, order * order * order)
        }
    ]
