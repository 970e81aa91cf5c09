namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Random uses of every function of the module Tensor.
module TensorCases =

    // ---- moves

    let private move name (dtype: DType) =
        gen {
            let! seed = Generators.seed
            let random = Random seed
            let! shape = Generators.shape 0 3

            let candidates =
                Seq.initInfinite (fun i ->
                    if i = 0 then shape else Array.init (1 + random.Next 3) (fun _ -> random.Next 4))
                |> Seq.collect (fun shape -> Moves.draw random shape |> List.map (fun move -> shape, move))

            let shape, move = candidates |> Seq.find (fun (_, move) -> move.Name = name)
            let! t = Generators.ordinary dtype shape
            return comparison $"{move.Text} of {t}" 0.0 dtype (move.Move t) (move.Loop(Host.ofTensor t))
        }

    let private moves =
        [
            "reshape"
            "flatten"
            "unsqueeze"
            "squeeze"
            "permute"
            "transpose"
            "broadcastTo"
            "slice"
            "sliceStep"
            "split"
            "pad"
            "reverse"
            "concat"
            "item"
            "take"
            "stack"
        ]
        |> List.map (fun name -> name, move name)

    // ---- elementwise

    let private unary (low: float) high (f: Tensor -> Tensor) (scalar: float -> float) dtype =
        gen {
            let! shape = Generators.shape 0 3
            let! t = Generators.between low high dtype shape
            return comparison $"of {t}" 1e-14 dtype (f t) (Host.map scalar (Host.ofTensor t))
        }

    let private binaryBetween low high (f: Tensor -> Tensor -> Tensor) (scalar: float -> float -> float) dtype =
        gen {
            let! shapeA, shapeB, joined = Generators.broadcasting
            // Halves, so that equal ones occur.
            let! a = Generators.between low high dtype shapeA |> Gen.map (fun t -> Tensor.floor (2.0 * t) / 2.0)
            let! b = Generators.between low high dtype shapeB |> Gen.map (fun t -> Tensor.floor (2.0 * t) / 2.0)
            let hostA, hostB = Host.ofTensor a, Host.ofTensor b

            let expected =
                Host.init joined (fun index -> scalar (Host.atBroadcast hostA index) (Host.atBroadcast hostB index))

            return comparison (shown [ a; b ]) 1e-14 dtype (f a b) expected
        }

    let private binary f scalar = binaryBetween -3.0 3.0 f scalar

    /// The series at small numbers, the continued fraction at large ones.
    let rec private erf (x: float) =
        if x < 0.0 then
            -(erf -x)
        elif x < 2.0 then
            let mutable term, sum = x, x

            for n in 1..120 do
                term <- -term * x * x / float n
                sum <- sum + term / float (2 * n + 1)

            2.0 / sqrt Math.PI * sum
        else
            let fraction = Seq.foldBack (fun k rest -> float k / 2.0 / (x + rest)) [ 1..120 ] 0.0
            1.0 - exp (-x * x) / sqrt Math.PI / (x + fraction)

    let private erfInverse (y: float) =
        Seq.init 60 ignore |> Seq.fold (fun x () -> x - (erf x - y) / (2.0 / sqrt Math.PI * exp (-x * x))) 0.0

    let private sigmoid x = 1.0 / (1.0 + exp -x)

    let private elementwise =
        [
            "exp", unary -3.0 3.0 Tensor.exp exp
            "expm1", unary -3.0 3.0 Tensor.expm1 (fun x -> exp x - 1.0)
            "log", unary 0.1 9.0 Tensor.log log
            "log1p", unary -0.9 9.0 Tensor.log1p (fun x -> log (1.0 + x))
            "sqrt", unary 0.0 9.0 Tensor.sqrt sqrt
            "rsqrt", unary 0.1 9.0 Tensor.rsqrt (fun x -> 1.0 / sqrt x)
            "sin", unary -9.0 9.0 Tensor.sin sin
            "cos", unary -9.0 9.0 Tensor.cos cos
            "tanh", unary -4.0 4.0 Tensor.tanh tanh
            "sigmoid", unary -9.0 9.0 Tensor.sigmoid sigmoid
            "softplus", unary -9.0 9.0 Tensor.softplus (fun x -> max x 0.0 + log (1.0 + exp -(abs x)))
            "erf", unary -4.0 4.0 Tensor.erf erf
            "erfInverse", unary -0.9 0.9 Tensor.erfInverse erfInverse
            "abs", unary -3.0 3.0 Tensor.abs abs
            "sign", unary -3.0 3.0 (Tensor.floor >> Tensor.sign) (floor >> sign >> float)
            "floor", unary -3.0 3.0 Tensor.floor floor
            "relu", unary -3.0 3.0 Tensor.relu (max 0.0)
            "gelu", unary -3.0 3.0 Tensor.gelu (fun x -> 0.5 * x * (1.0 + erf (x / sqrt 2.0)))
            "silu", unary -3.0 3.0 Tensor.silu (fun x -> x * sigmoid x)
            "square", unary -3.0 3.0 Tensor.square (fun x -> x * x)
            "maximum", binary Tensor.maximum max
            "minimum", binary Tensor.minimum min
            "greater", binary Tensor.greater (fun a b -> truth (a > b))
            "greaterOrEqual", binary Tensor.greaterOrEqual (fun a b -> truth (a >= b))
            "equal", binary Tensor.equal (fun a b -> truth (a = b))
            "where", binary (fun a b -> Tensor.where (Tensor.greater a b) a b) (fun a b -> if a > b then a else b)
            "stopGradient", unary -3.0 3.0 Tensor.stopGradient id
            "checkpoint", unary -3.0 3.0 (Tensor.checkpoint Tensor.square) (fun x -> x * x)
            "checkpointOf",
            binary (fun a b -> (Tensor.checkpointOf (fun xs -> [ xs.Head; xs.Head * List.last xs ]) [ a; b ]).[1]) (*)
        ]

    /// Arithmetic, which is not in the module.
    let operators =
        [
            "+", binary (+) (+)
            "-", binary (-) (-)
            "*", binary (*) (*)
            "/", binaryBetween 0.5 3.0 (/) (/)
            "**", binaryBetween 0.5 3.0 (fun a b -> Tensor.Pow(a, b)) (fun a b -> a ** b)
            "negation", unary -3.0 3.0 (~-) (~-)
            "number + t", unary -3.0 3.0 (fun t -> 2.5 + t) (fun x -> 2.5 + x)
            "t + number", unary -3.0 3.0 (fun t -> t + 2.5) (fun x -> x + 2.5)
            "number - t", unary -3.0 3.0 (fun t -> 2.5 - t) (fun x -> 2.5 - x)
            "t - number", unary -3.0 3.0 (fun t -> t - 2.5) (fun x -> x - 2.5)
            "number * t", unary -3.0 3.0 (fun t -> 2.5 * t) (fun x -> 2.5 * x)
            "t * number", unary -3.0 3.0 (fun t -> t * 2.5) (fun x -> x * 2.5)
            "number / t", unary 0.5 3.0 (fun t -> 2.5 / t) (fun x -> 2.5 / x)
            "t / number", unary -3.0 3.0 (fun t -> t / 2.5) (fun x -> x / 2.5)
            for power in [ -2.0; -0.5; 0.0; 1.0; 2.0; 3.0; 4.0; 5.0; 2.5 ] do
                $"t ** {power}", unary 0.5 2.0 (fun t -> t ** power) (fun x -> x ** power)
        ]

    // ---- reductions

    let private sumOver (axes: int[]) (h: Host) =
        let kept = Host.without axes h.Shape

        let sums =
            Host.indices h.Shape
            |> Array.groupBy (Host.without axes)
            |> Array.map (fun (place, indices) -> place, indices |> Array.sumBy (Host.at h))
            |> dict

        Host.init kept (fun place ->
            match sums.TryGetValue place with
            | true, sum -> sum
            | _ -> 0.0)

    let private reduction
        (shape: Gen<int[]>)
        (f: int list -> Tensor -> Tensor)
        (expected: int[] -> Host -> Host)
        dtype
        =
        gen {
            let! shape = shape
            let! axes = Generators.subset shape.Length
            let! fromEnd = Gen.elements [ true; false ]
            let! t = Generators.ordinary dtype shape
            let asked = axes |> Array.map (fun axis -> if fromEnd then axis - shape.Length else axis) |> List.ofArray
            return comparison $"over {asked} of {t}" 1e-14 dtype (f asked t) (expected axes (Host.ofTensor t))
        }

    let private everything (f: Tensor -> Tensor) (expected: Host -> float) shape dtype =
        gen {
            let! shape = shape
            let! t = Generators.ordinary dtype shape
            return comparison $"of {t}" 1e-14 dtype (f t) (scalarHost (expected (Host.ofTensor t)))
        }

    let private total (h: Host) = Array.sum h.Values

    let private meanOver axes (h: Host) =
        let count = axes |> Array.fold (fun count axis -> count * h.Shape[axis]) 1
        sumOver axes h |> Host.map (fun sum -> sum / float count)

    /// For each row, a number from its elements.
    let private perRow (f: float[] -> float) (h: Host) =
        let rank = h.Shape.Length

        Host.init h.Shape[.. rank - 2] (fun row ->
            f (Array.init h.Shape[rank - 1] (fun column -> Host.at h (Array.append row [| column |]))))

    let private eachRow (f: float[] -> float[]) (h: Host) =
        let rank = h.Shape.Length

        Host.init h.Shape (fun index ->
            let row = index[.. rank - 2]
            let columns = Array.init h.Shape[rank - 1] (fun column -> Host.at h (Array.append row [| column |]))
            (f columns)[index[rank - 1]])

    let private rowed (f: Tensor -> Tensor) (expected: Host -> Host) resultType dtype =
        gen {
            let! rows = Generators.shape 0 2
            let! columns = Generators.lengthFrom1
            let! t = Generators.between -9.0 9.0 dtype (Array.append rows [| columns |])
            return comparison $"of {t}" 1e-14 (resultType dtype) (f t) (expected (Host.ofTensor t))
        }

    let private firstLargest (row: float[]) = float (Array.IndexOf(row, Array.max row))

    let private logSumExp (row: float[]) =
        let top = Array.max row in top + log (row |> Array.sumBy (fun x -> exp (x - top)))

    let private crossEntropy dtype =
        gen {
            let! rows = Generators.shape 0 2
            let! columns = Generators.lengthFrom1
            let shape = Array.append rows [| columns |]
            let! x = Generators.between -9.0 9.0 dtype shape
            let! q = Generators.between 0.0 1.0 dtype shape
            let hostX, hostQ = Host.ofTensor x, Host.ofTensor q

            let expected =
                Host.init rows (fun row ->
                    let part (h: Host) = Array.init columns (fun column -> Host.at h (Array.append row [| column |]))
                    Array.map2 (fun q x -> q * (logSumExp (part hostX) - x)) (part hostQ) (part hostX) |> Array.sum)

            return comparison (shown [ x; q ]) 1e-13 dtype (Tensor.softmaxCrossEntropy x q) expected
        }

    let private cumulativeSum dtype =
        gen {
            let! shape = Generators.shape 1 3
            let! axis = Gen.choose (0, shape.Length - 1)
            let! t = Generators.ordinary dtype shape
            let h = Host.ofTensor t

            let expected =
                Host.init shape (fun index ->
                    Seq.sum (seq { for i in 0 .. index[axis] -> Host.at h (Array.updateAt axis i index) }))

            return comparison $"along {axis} of {t}" 1e-14 dtype (Tensor.cumulativeSum axis t) expected
        }

    let private reductions =
        [
            "sum", everything Tensor.sum total (Generators.shape 0 3)
            "mean", everything Tensor.mean (fun h -> total h / float h.Values.Length) (Generators.fullShape 0 3)
            "norm",
            everything Tensor.norm (fun h -> sqrt (Array.sumBy (fun x -> x * x) h.Values)) (Generators.shape 0 3)
            "sumAxes", reduction (Generators.shape 0 4) Tensor.sumAxes sumOver
            "meanAxes", reduction (Generators.fullShape 0 4) Tensor.meanAxes meanOver
            "argMax", rowed Tensor.argMax (perRow firstLargest) (fun _ -> DType.Int32)
            "max", rowed Tensor.max (perRow Array.max) id
            "logSumExp", rowed Tensor.logSumExp (perRow logSumExp) id
            "softmax",
            rowed Tensor.softmax (eachRow (fun row -> row |> Array.map (fun x -> exp (x - logSumExp row)))) id
            "logSoftmax",
            rowed Tensor.logSoftmax (eachRow (fun row -> row |> Array.map (fun x -> x - logSumExp row))) id
            "softmaxCrossEntropy", crossEntropy
            "cumulativeSum", cumulativeSum
        ]

    // ---- indices

    let private pick dtype =
        gen {
            let! rows = Generators.shape 0 2
            let! columns = Generators.lengthFrom1
            let! t = Generators.ordinary dtype (Array.append rows [| columns |])
            let! index = Generators.positions columns rows
            let h, i = Host.ofTensor t, Host.ofTensor index
            let expected = Host.init rows (fun row -> Host.at h (Array.append row [| int (Host.at i row) |]))
            return comparison (shown [ index; t ]) 0.0 dtype (Tensor.pick index t) expected
        }

    let private scatterAdd dtype =
        gen {
            let! outer = Generators.shape 0 1
            let! count = Generators.shape 0 2
            let! inner = Generators.shape 0 1
            let! length = Generators.lengthFrom1
            let axis = outer.Length
            let! index = Generators.positions length count
            let! updates = Generators.ordinary dtype (Array.concat [ outer; count; inner ])
            let i, u = Host.ofTensor index, Host.ofTensor updates

            let expected =
                Host.init (Array.concat [ outer; [| length |]; inner ]) (fun place ->
                    Host.indices count
                    |> Array.filter (fun c -> int (Host.at i c) = place[axis])
                    |> Array.sumBy (fun c -> Host.at u (Array.concat [ place[.. axis - 1]; c; place[axis + 1 ..] ])))

            return
                comparison (shown [ index; updates ]) 1e-14 dtype (Tensor.scatterAdd axis length index updates) expected
        }

    let private oneHot dtype =
        gen {
            let! shape = Generators.shape 0 2
            let! classes = Generators.lengthFrom1
            let! labels = Generators.positions classes shape
            let h = Host.ofTensor labels

            let expected =
                Host.init (Array.append shape [| classes |]) (fun index ->
                    truth (int (Host.at h index[.. shape.Length - 1]) = index[shape.Length]))

            return comparison $"of {labels}" 0.0 dtype (Tensor.oneHot dtype classes labels) expected
        }

    let private indexing = [ "pick", pick; "scatterAdd", scatterAdd; "oneHot", oneHot ]

    /// The functions of the module, with element types and cases.
    let all: (string * DType list * (DType -> Gen<Comparison>)) list =
        [
            for name, cases in moves -> name, Generators.everyType, cases
            yield! TensorCreationCases.all
            yield! TensorStatisticCases.all
            yield! TensorElementCases.all
            for name, cases in
                elementwise @ reductions @ TensorProductCases.all @ TensorDecompositionCases.all @ indexing ->
                name, Generators.floating, cases
        ]
