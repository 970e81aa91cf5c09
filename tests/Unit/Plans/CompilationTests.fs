namespace Curvature.Tests.Unit.Plans

open System
open Expecto
open Expecto.Flip
open Curvature.Tests.Unit
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Losses of many shapes: what a plan has to get right.
module Losses =

    let private mlp (sizes: int list) activation (inputs: Tensor) (theta: Tensor) =
        let layers = List.pairwise sizes
        let pieces = layers |> List.collect (fun (i, o) -> [ i * o; o ])

        let rec forward layers pieces (x: Tensor) =
            match layers, pieces with
            | (i, o) :: rest, w :: b :: others ->
                let next: Tensor = Tensor.einsum "bi,oi->bo" x (Tensor.reshape [ o; i ] w) + b
                forward rest others (if List.isEmpty rest then next else activation next)
            | _ -> x

        forward layers (Tensor.split 0 pieces theta) inputs

    let private data device dtype shape = Tensor.normal (Key.OfSeed 11L) dtype shape |> Tensor.toDevice device

    let private labels device dtype rows classes =
        Tensor.ofIndices [ rows ] (Array.init rows (fun i -> (i * 7) % classes))
        |> Tensor.oneHot dtype classes
        |> Tensor.toDevice device

    let private classifier device sizes activation rows dtype =
        let targets = labels device dtype rows (List.last sizes)
        let n = List.pairwise sizes |> List.sumBy (fun (i, o) -> i * o + o)

        n,
        fun theta ->
            Tensor.mean (
                Tensor.softmaxCrossEntropy (mlp sizes activation (data device dtype [ rows; sizes.Head ]) theta) targets
            )

    /// Name, number of parameters, loss, with the data of the losses on a device.
    let onDevice (device: Kernels.Device) (dtype: DType) : (string * int * (Tensor -> Tensor)) list =
        let classifier sizes = classifier device sizes

        let named name (n, loss) = name, n, loss

        [
            named "tanh classifier" (classifier [ 5; 7; 3 ] Tensor.tanh 11 dtype)
            named "deep sigmoid classifier" (classifier [ 3; 4; 6; 5; 2 ] Tensor.sigmoid 17 dtype)
            named "relu classifier" (classifier [ 6; 9; 4 ] Tensor.relu 8 dtype)
            named "gelu classifier" (classifier [ 6; 9; 4 ] Tensor.gelu 8 dtype)
            "quartic", 6, (fun x -> let s = Tensor.dot x x in s * s)
            "quadratic without residuals", 5, (fun x -> Tensor.dot x x)
            "linear", 5, (fun x -> Tensor.sum (x * 3.0))
            "part of the parameters unused", 8, (fun x -> Tensor.sum (Tensor.exp (Tensor.slice 0 2 3 x)))
            "parameters used twice",
            9,
            (fun x ->
                let a = Tensor.reshape [ 3; 3 ] x
                Tensor.sum (Tensor.tanh (Tensor.matmul a (Tensor.transpose a)) * Tensor.cos a))
            "attention",
            48,
            (fun x ->
                let q, k, v =
                    match Tensor.split 0 [ 16; 16; 16 ] x |> List.map (Tensor.reshape [ 2; 4; 2 ]) with
                    | [ q; k; v ] -> q, k, v
                    | _ -> x, x, x

                let scores = Tensor.softmax (Tensor.einsum "hqd,hkd->hqk" q k)
                Tensor.sum (Tensor.square (Tensor.einsum "hqk,hkd->qhd" scores v)))
            "gather, scan and reverse",
            10,
            (fun x ->
                let index = Tensor.ofIndices [ 4 ] [| 1; 1; 7; 3 |] |> Tensor.toDevice device
                let picked = Tensor.take 0 index (Tensor.square x)
                Tensor.sum (Tensor.sin (Tensor.cumulativeSum 0 picked) * Tensor.reverse 0 picked))
            "reductions along the first axis",
            12,
            (fun x ->
                let m = Tensor.reshape [ 4; 3 ] x
                Tensor.sum (Tensor.exp (Tensor.sumAxes [ 0 ] (Tensor.square m)) * 0.1))
            "convolutions and pools",
            36 + 54 + 18,
            (fun x ->
                match Tensor.split 0 [ 36; 54; 18 ] x with
                | [ first; second; last ] ->
                    let images = data device dtype [ 2; 2; 5; 6 ]
                    let reshaped shape w = Tensor.reshape shape w
                    let same = Sliding.Default.WithPadding 1
                    let a = Tensor.tanh (Nchw.groupedConv2d 2 same (reshaped [ 4; 1; 3; 3 ] first) images)
                    let b = Nchw.maxPool2d (2, 2) (Sliding.Default.WithStride 2) a
                    let c = Nchw.conv2d (same.WithStride(1, 2)) (reshaped [ 3; 2; 3; 3 ] second) (Tensor.slice 1 1 2 b)
                    let d = Nchw.averagePool2d (2, 1) Sliding.Default (Tensor.sigmoid c)
                    let e = Nchw.globalAveragePool (Nchw.conv2d Sliding.Default (reshaped [ 6; 3; 1; 1 ] last) d)
                    Tensor.sum (Tensor.square e)
                | _ -> x)
            "logsumexp of strided rows",
            12,
            (fun x -> Tensor.sum (Tensor.square (Tensor.logSumExp (Tensor.transpose (Tensor.reshape [ 3; 4 ] x)))))
        ]

    /// The same on the default device.
    let all (dtype: DType) = onDevice Kernels.CpuDevice.Shared dtype

module CompilationTests =

    let private point dtype n = Tensor.normal (Key.OfSeed 3L) dtype [ n ] * 0.5

    let private distance (a: Tensor) (b: Tensor) =
        let scale = Seq.append [ 1.0 ] (Seq.map abs (b.ToArray())) |> Seq.max

        (Seq.zip (a.ToArray()) (b.ToArray()) |> Seq.map (fun (x, y) -> abs (x - y)) |> Seq.append [ 0.0 ] |> Seq.max)
        / scale

    let private close name dtype (actual: Tensor) (expected: Tensor) =
        Expect.isTrue $"{name}: shapes {actual.Shape} and {expected.Shape}" (actual.Shape = expected.Shape)
        let tolerance = if dtype = DType.Float64 then 1e-12 else 2e-5
        Expect.isLessThan $"{name}, {dtype}" (distance actual expected, tolerance)

    let private product loss =
        Compile.family (fun theta ->
            let (value, gradient), product = Linearized.gradient loss theta in [ value; gradient ], product)

    let private form loss =
        Compile.family (fun theta -> let value, form = Linearized.quadraticForm loss theta in [ value ], form)

    let private dTypes = [ DType.Float32; DType.Float64 ]

    [<Tests>]
    let tests =
        testList "Unit.Plans.CompilationTests" [
            for dtype in dTypes do
                test $"a compiled gradient equals the interpreted one ({dtype})" {
                    for name, n, loss in Losses.all dtype do
                        let theta = point dtype n
                        close name dtype (Compile.func loss theta) (loss theta)
                        close name dtype (Compile.func (grad loss) theta) (grad loss theta)
                }

            for dtype in dTypes do
                test $"compiled Hessian products equal interpreted ones, singly and in blocks ({dtype})" {
                    for name, n, loss in Losses.all dtype do
                        let family = product loss

                        for theta in [ point dtype n; point dtype n * -0.7 + 0.1 ] do
                            let map = family theta
                            close name dtype map.Values[0] (loss theta)
                            close name dtype map.Values[1] (grad loss theta)
                            let block = Tensor.normal (Key.OfSeed 5L) dtype [ 5; n ]
                            let single i = Tensor.item 0 i block
                            close name dtype (map.Apply(single 0)) (hessianv loss theta (single 0))
                            let expected = Tensor.stack 0 [ for i in 0..4 -> hessianv loss theta (single i) ]
                            close name dtype (map.ApplyBlock block) expected
                }

            for dtype in dTypes do
                test $"compiled quadratic forms equal v times Hv ({dtype})" {
                    for name, n, loss in Losses.all dtype do
                        let theta = point dtype n
                        let map = form loss theta
                        let block = Tensor.normal (Key.OfSeed 6L) dtype [ 4; n ]

                        let expected =
                            Tensor.stack 0 [
                                for i in 0..3 -> (let v = Tensor.item 0 i block in Tensor.dot v (hessianv loss theta v))
                            ]

                        close name dtype (map.ApplyBlock block) expected
                        close name dtype (map.Apply(Tensor.item 0 2 block)) (Tensor.item 0 2 expected)
                }

            test "a function that looks at values is recorded anew at every point" {
                let loss (x: Tensor) =
                    if (Tensor.sum x).ToScalar() > 0.0 then
                        Tensor.sum (x * x)
                    else
                        Tensor.sum (x * x * x)

                let family = product loss

                for theta in [ tensor [ 1.0; 2.0 ]; tensor [ -1.0; -2.0 ] ] do
                    let v = tensor [ 0.5; -1.0 ]
                    close "branches" DType.Float64 ((family theta).Apply v) (hessianv loss theta v)
            }

            test "the bits of a product do not depend on the block that it is in" {
                for name, n, loss in Losses.all DType.Float32 do
                    let map = product loss (point DType.Float32 n)
                    let block = Tensor.normal (Key.OfSeed 8L) DType.Float32 [ 7; n ]
                    let whole = (map.ApplyBlock block).ToSingleArray()

                    for i in 0..6 do
                        let alone = (map.Apply(Tensor.item 0 i block)).ToSingleArray()
                        Expect.isTrue $"{name}, vector {i}" (alone = whole[i * n .. i * n + n - 1])
            }

            test "applying a compiled map allocates less than a kilobyte" {
                let _, n, loss = Losses.all DType.Float32 |> List.head
                let map = product loss (point DType.Float32 n)
                let v = Tensor.normal (Key.OfSeed 9L) DType.Float32 [ n ]

                for _ in 1..50 do
                    map.Apply v |> ignore

                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..100 do
                    map.Apply v |> ignore

                let perCall = (GC.GetAllocatedBytesForCurrentThread() - before) / 100L
                Expect.isLessThan "perCall" (perCall, 1024L)
            }

            test "vectors may be uniform, permuted or cut from larger arrays" {
                let loss (x: Tensor) = Tensor.sum (Tensor.exp (x * Tensor.cumulativeSum 0 x))
                let theta = point DType.Float64 4
                let map = product loss theta

                let same name (v: Tensor) =
                    close name DType.Float64 (map.Apply v) (hessianv loss theta (Tensor.ofArray [ 4 ] (v.ToArray())))

                same "uniform" (Tensor.ones DType.Float64 [ 4 ])
                same "reversed" (Tensor.reverse 0 (tensor [ 1.0; 2.0; 3.0; 4.0 ]))
                same "cut" (Tensor.slice 0 3 4 (tensor [ 1.0; 2.0; 3.0; 4.0; 5.0; 6.0; 7.0; 8.0 ]))
                let columns = Tensor.transpose (Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 4; 3 ])
                let expected = Tensor.stack 0 [ for i in 0..2 -> hessianv loss theta (Tensor.item 0 i columns) ]
                close "permuted block" DType.Float64 (map.ApplyBlock columns) expected

                close
                    "uniform point"
                    DType.Float64
                    ((product loss (Tensor.ones DType.Float64 [ 4 ])).Apply theta)
                    (hessianv loss (Tensor.ones DType.Float64 [ 4 ]) theta)
            }

            test "results are the same bits on one, two and three threads, and nearly so on every instruction set" {
                let count = List.length (Losses.all DType.Float32)

                for i in 0 .. count - 1 do
                    let name, _, _ = List.item i (Losses.all DType.Float32)

                    let on (device: Kernels.Device) =
                        let _, n, loss = List.item i (Losses.onDevice device DType.Float32)
                        let theta = Tensor.toDevice device (point DType.Float32 n)
                        let block = Tensor.toDevice device (Tensor.normal (Key.OfSeed 8L) DType.Float32 [ 5; n ])
                        (product loss theta).ApplyBlock block

                    let reference = on (Kernels.CpuDevice(1, Kernels.InstructionSets.Best))

                    for threads in [ 2; 3 ] do
                        let other = on (Kernels.CpuDevice(threads, Kernels.InstructionSets.Best))
                        Expect.isTrue $"{name}, {threads} threads" (other.ToSingleArray() = reference.ToSingleArray())

                    for set in System.Enum.GetValues<Kernels.InstructionSet>() do
                        if Kernels.InstructionSets.IsSupported set then
                            close
                                $"{name}, {set}"
                                DType.Float32
                                (Tensor.toDevice Kernels.CpuDevice.Shared (on (Kernels.CpuDevice(2, set))))
                                (Tensor.toDevice Kernels.CpuDevice.Shared reference)
            }

            for dtype in dTypes do
                test $"a linear program, simplified or compiled, transposed or not, maps as it did ({dtype})" {
                    for name, n, loss in Losses.all dtype do
                        let _, forward = linearize (grad loss) (point dtype n)
                        let v = Tensor.normal (Key.OfSeed 12L) dtype [ n ]

                        for program in [ forward; forward.Transpose(); forward.Batch(3).Transpose() ] do
                            let v = if program.InputShape.Length = 1 then v else Tensor.stack 0 [ v; 2.0 * v; -v ]
                            let expected = program.Apply v
                            close name dtype ((Compile.simplify program).Apply v) expected
                            close name dtype ((Compile.program program).Apply v) expected
                }

            test "simplifying removes repeated and needless equations" {
                let f (x: Tensor) =
                    let twice = Tensor.reshape [ 2; 2 ] (Tensor.reshape [ 4; 1 ] (x * 1.0))
                    Tensor.sum (twice * 3.0 + twice * 3.0 + 0.0 * twice)

                let _, program = linearize f (tensor [ 1.0; 2.0; 3.0; 4.0 ])
                let count (p: LinearProgram) = p.ToString().Split('\n').Length
                let simplified = Compile.simplify program
                Expect.equal "count simplified" (count program - 3) (count simplified)

                close
                    "simplified"
                    DType.Float64
                    (simplified.Apply(tensor [ 1.0; 1.0; 2.0; 0.0 ]))
                    (Tensor.scalar DType.Float64 24.0)
            }

            test "convolutions that are added are summed in place, in any layout of the result" {
                let key = (Key.OfSeed 23L).Split 3
                let images = Tensor.normal key[0] DType.Float64 [ 2; 5; 6; 3 ]
                let others = Tensor.normal key[1] DType.Float64 [ 2; 5; 6; 3 ]
                let filters = Tensor.normal key[2] DType.Float64 [ 3; 3; 3; 4 ]
                let sliding = Sliding.Default.WithPadding 1

                let sum (w: Tensor) =
                    Nhwc.conv2d sliding w images
                    + Nhwc.conv2d sliding (w * w) others
                    + Nhwc.conv2d sliding (Tensor.sin w) images

                for f in [ sum; sum >> Nchw.ofNhwc; grad (fun w -> Tensor.sum (Tensor.square (sum w))) ] do
                    let compiled = Compile.func f
                    Expect.tensorsClose 1e-12 (f filters) (compiled filters)
                    // The second time round an array that was added to must not be what the first time left.
                    Expect.tensorsClose 1e-12 (f filters) (compiled filters)

                let map = Compile.family (fun w -> [], jacobianv sum w) filters
                let kernels = (string map).Split '\n'
                let convolutions = kernels |> Array.filter _.Contains("convolve 2×5×6×3")
                Expect.isTrue $"{map}" (convolutions.Length = 3)
                Expect.isTrue $"{map}" (kernels |> Array.forall (fun line -> not (line.Contains "map 2×5×6×4")))
            }

            test "a product that is a result of its own is computed beside the sum that takes it" {
                let matrices =
                    (Key.OfSeed 24L).Split 2 |> Array.map (fun key -> Tensor.normal key DType.Float64 [ 5; 4 ])

                let f (inputs: Tensor list) =
                    let first, second = Tensor.matmul matrices[0] inputs.Head, Tensor.matmul matrices[1] inputs.Head
                    [ first; first + second ]

                let x = Tensor.normal (Key.OfSeed 25L) DType.Float64 [ 4; 3 ]
                List.iter2 (Expect.tensorsClose 1e-12) (f [ x ]) (Compile.funcs f [ x ])
            }

            test "a matrix and its transpose are two inputs of one tape" {
                let f (x: Tensor) = Tensor.exp x * Tensor.transpose x
                let x = Tensor.normal (Key.OfSeed 26L) DType.Float64 [ 4; 4 ]
                Expect.tensorsClose 1e-12 (f x) (Compile.func f x)
            }

            test "a program with coefficients of an outer transformation is not compiled" {
                let f (x: Tensor) =
                    let _, program = linearize (fun y -> Tensor.sum (y * x)) (tensor [ 1.0; 2.0 ])
                    (Compile.program program).Apply(tensor [ 1.0; 1.0 ])

                let error = raises<DifferentiationException>(fun () -> grad f (tensor [ 3.0; 4.0 ]))
                Expect.stringContains "error.Message" "coefficients" error.Message
            }

            test "a compiled map says what it takes" {
                let map = product (fun x -> Tensor.dot x x) (point DType.Float64 4)
                let wrongShape = raises<ShapeException>(fun () -> map.Apply(point DType.Float64 5))
                Expect.stringContains "what was expected" "[4]" wrongShape.Message
                Expect.stringContains "what came" "[5]" wrongShape.Message
                raises<ShapeException>(fun () -> map.Apply(point DType.Float32 4)) |> ignore
                raises<ShapeException>(fun () -> map.ApplyBlock(point DType.Float64 4)) |> ignore

                raises<DifferentiationException>(fun () ->
                    grad (fun v -> Tensor.sum (map.Apply v)) (point DType.Float64 4))
                |> ignore
            }
        ]
