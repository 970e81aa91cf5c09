namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp

/// What a function of the module Tensor gave, and what plain loops give.
[<NoEquality; NoComparison>]
type Comparison =
    {
        Text: string
        Actual: Tensor
        Expected: Host
        DType: DType
        /// Relative to 1 + the largest number, for Float64.
        Tolerance: float
    }

    override this.ToString() = $"{this.Text}\n  gave {this.Actual}"

/// Random uses of every function of the module Tensor.
module TensorCases =

    let private comparison text tolerance dtype (actual: Tensor) (expected: Host) =
        {
            Text = text
            Actual = actual
            Expected = expected
            DType = dtype
            Tolerance = tolerance
        }

    let private shown (tensors: Tensor list) = tensors |> List.map string |> String.concat ", "

    let private scalarHost value = { Shape = [||]; Values = [| value |] }

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

    /// Shapes that broadcast together, and the common one.
    let private broadcasting =
        gen {
            let! common = Generators.shape 0 3
            let! dropA = Gen.choose (0, common.Length)
            let! onesA = Generators.subset common.Length
            let! onesB = Generators.subset common.Length
            let ones places = common |> Array.mapi (fun axis length -> if Array.contains axis places then 1 else length)
            let a, b = (ones onesA)[dropA..], ones onesB

            let joined =
                Array.init common.Length (fun axis ->
                    let inA = if axis < dropA then 1 else a[axis - dropA]
                    if inA = 1 then b[axis] else inA)

            return a, b, joined
        }

    let private binaryBetween low high (f: Tensor -> Tensor -> Tensor) (scalar: float -> float -> float) dtype =
        gen {
            let! shapeA, shapeB, joined = broadcasting
            // Halves, so that equal ones occur.
            let! a = Generators.between low high dtype shapeA |> Gen.map (fun t -> Tensor.floor (2.0 * t) / 2.0)
            let! b = Generators.between low high dtype shapeB |> Gen.map (fun t -> Tensor.floor (2.0 * t) / 2.0)
            let hostA, hostB = Host.ofTensor a, Host.ofTensor b

            let expected =
                Host.init joined (fun index -> scalar (Host.atBroadcast hostA index) (Host.atBroadcast hostB index))

            return comparison (shown [ a; b ]) 1e-14 dtype (f a b) expected
        }

    let private binary f scalar = binaryBetween -3.0 3.0 f scalar
    let private truth condition = if condition then 1.0 else 0.0

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

    // ---- products

    /// Σ over all labels, the plainest way.
    let private contract (left: string) (right: string) (result: string) (a: Host) (b: Host) =
        let lengths = Seq.append (Seq.zip left a.Shape) (Seq.zip right b.Shape) |> Seq.distinctBy fst |> dict

        let labels = Seq.append left right |> Seq.distinct |> Seq.toArray
        let inner = labels |> Array.filter (fun label -> not (result.Contains label))
        let length label = lengths[label]

        let select (operand: string) (values: Collections.Generic.IDictionary<char, int>) =
            operand |> Seq.map (fun label -> values[label]) |> Seq.toArray

        Host.init (result |> Seq.map length |> Seq.toArray) (fun outer ->
            Host.indices (inner |> Array.map length)
            |> Array.sumBy (fun index ->
                let values = Seq.append (Seq.zip result outer) (Seq.zip inner index) |> dict
                Host.at a (select left values) * Host.at b (select right values)))

    let private einsum dtype =
        gen {
            let! formula =
                Gen.elements
                    [
                        "ij,jk->ik"
                        "ij,kj->ki"
                        "bij,bjk->bik"
                        "i,j->ji"
                        "ij,ij->"
                        "ij,j->i"
                        "bi,bi->b"
                        "aBc,dB->cda"
                        " ij , jk -> k i "
                    ]

            let! lengths = Gen.listOfLength 128 Generators.length
            let parts = formula.Replace(" ", "").Split([| ","; "->" |], StringSplitOptions.None)
            let shape (labels: string) = labels |> Seq.map (fun label -> lengths[int label]) |> Seq.toArray
            let! a = Generators.ordinary dtype (shape parts[0])
            let! b = Generators.ordinary dtype (shape parts[1])
            let expected = contract parts[0] parts[1] parts[2] (Host.ofTensor a) (Host.ofTensor b)
            return comparison $"{formula}: {shown [ a; b ]}" 1e-14 dtype (Tensor.einsum formula a b) expected
        }

    let private matmul dtype =
        gen {
            let! batchA, batchB, batch = broadcasting
            let! m = Generators.length
            let! inner = Generators.length
            let! n = Generators.length
            let! vectorA = Gen.elements [ true; false; false ]
            let! vectorB = Gen.elements [ true; false; false ]
            // A vector goes with a matrix or another vector only.
            let flat = vectorA || vectorB
            let batchA, batchB, batch = if flat then [||], [||], [||] else batchA, batchB, batch
            let! a = Generators.ordinary dtype (Array.append batchA (if vectorA then [| inner |] else [| m; inner |]))
            let! b = Generators.ordinary dtype (Array.append batchB (if vectorB then [| inner |] else [| inner; n |]))
            let hostA, hostB = Host.ofTensor a, Host.ofTensor b
            let rows = if vectorA then [||] else [| m |]
            let columns = if vectorB then [||] else [| n |]

            let expected =
                Host.init (Array.concat [ batch; rows; columns ]) (fun index ->
                    let outer = index[.. batch.Length - 1]
                    let i = if vectorA then [||] else [| index[batch.Length] |]
                    let j = if vectorB then [||] else [| Array.last index |]

                    let entry (h: Host) own tail =
                        let trimmed = outer[outer.Length - own ..] in Host.atBroadcast h (Array.append trimmed tail)

                    Seq.sum (
                        seq {
                            for k in 0 .. inner - 1 ->
                                entry hostA batchA.Length (Array.append i [| k |])
                                * entry hostB batchB.Length (Array.append [| k |] j)
                        }
                    ))

            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.matmul a b) expected
        }

    let private dot dtype =
        gen {
            let! shape = Generators.shape 0 3
            let! a = Generators.ordinary dtype shape
            let! b = Generators.ordinary dtype shape
            let expected = Array.map2 (*) (a.ToArray()) (b.ToArray()) |> Array.sum
            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.dot a b) (scalarHost expected)
        }

    let private outer dtype =
        gen {
            let! m = Generators.length
            let! n = Generators.length
            let! a = Generators.ordinary dtype [| m |]
            let! b = Generators.ordinary dtype [| n |]
            let expected = contract "i" "j" "ij" (Host.ofTensor a) (Host.ofTensor b)
            return comparison (shown [ a; b ]) 1e-14 dtype (Tensor.outer a b) expected
        }

    let private products = [ "einsum", einsum; "matmul", matmul; "dot", dot; "outer", outer ]

    // ---- making tensors

    let private made (f: DType -> int[] -> int -> Tensor * DType * Host) dtype =
        gen {
            let! shape = Generators.shape 0 3
            let! seed = Generators.seed
            let actual, dtype, expected = f dtype shape seed
            return comparison $"shape %A{shape}, seed {seed}" 0.0 dtype actual expected
        }

    let private filled shape value = Host.init shape (fun _ -> value)

    let private ofValues make dtype rounding =
        made (fun _ shape seed ->
            let values = Generators.numbers -9.0 9.0 seed (Host.size shape)
            make (List.ofArray shape) values, dtype, { Shape = shape; Values = values |> Array.map rounding })

    /// Random numbers are checked elsewhere for what they are; here for their shape and type.
    let private drawn draw =
        made (fun dtype shape seed ->
            let t: Tensor = draw (Key.OfSeed(int64 seed)) dtype (List.ofArray shape)
            t, dtype, { Shape = shape; Values = t.ToArray() })

    let private convert dtype =
        gen {
            let! target = Gen.elements (DType.Int32 :: Generators.floating)
            let! shape = Generators.shape 0 3
            let! t = Generators.between -9.0 9.0 dtype shape

            let rounding =
                match target with
                | DType.Int32 -> truncate
                | DType.Float32 -> float32 >> float
                | _ -> id

            return comparison $"of {t}" 0.0 target (Tensor.convert target t) (Host.map rounding (Host.ofTensor t))
        }

    let private making =
        [
            "ofArray", ofValues Tensor.ofArray DType.Float64 id
            "ofSingleArray",
            ofValues (fun shape -> Array.map float32 >> Tensor.ofSingleArray shape) DType.Float32 (float32 >> float)
            "ofIndices", ofValues (fun shape -> Array.map int >> Tensor.ofIndices shape) DType.Int32 truncate
            "ofObject",
            made (fun _ shape seed ->
                let values = Generators.numbers -9.0 9.0 seed (Host.size shape)

                let rec nest axis offset : obj =
                    if axis = shape.Length then
                        box values[offset]
                    else
                        let stride = Host.size shape[axis + 1 ..]
                        box [ for i in 0 .. shape[axis] - 1 -> nest (axis + 1) (offset + i * stride) ]

                // Nested lists say nothing of axes inside an empty one.
                let visible =
                    match Array.tryFindIndex ((=) 0) shape with
                    | Some axis -> shape[..axis]
                    | None -> shape

                Tensor.ofObject (nest 0 0), DType.Float64, { Shape = visible; Values = values })
            "scalar",
            made (fun dtype _ seed -> Tensor.scalar dtype (float (seed % 100)), dtype, scalarHost (float (seed % 100)))
            "full",
            made (fun dtype shape seed ->
                Tensor.full dtype (List.ofArray shape) (float (seed % 100)), dtype, filled shape (float (seed % 100)))
            "zeros", made (fun dtype shape _ -> Tensor.zeros dtype (List.ofArray shape), dtype, filled shape 0.0)
            "ones", made (fun dtype shape _ -> Tensor.ones dtype (List.ofArray shape), dtype, filled shape 1.0)
            "fullLike",
            made (fun dtype shape _ ->
                Tensor.fullLike (Tensor.ones dtype (List.ofArray shape)) 7.0, dtype, filled shape 7.0)
            "zerosLike",
            made (fun dtype shape _ ->
                Tensor.zerosLike (Tensor.ones dtype (List.ofArray shape)), dtype, filled shape 0.0)
            "onesLike",
            made (fun dtype shape _ ->
                Tensor.onesLike (Tensor.zeros dtype (List.ofArray shape)), dtype, filled shape 1.0)
            "convert", convert
            "arange",
            made (fun dtype _ seed ->
                let n = seed % 20 in Tensor.arange dtype n, dtype, Host.init [| n |] (fun i -> float i[0]))
            "linspace",
            made (fun _ _ seed ->
                let n = 2 + seed % 20

                Tensor.linspace -1.0 3.0 n,
                DType.Float64,
                Host.init [| n |] (fun i -> -1.0 + 4.0 * float i[0] / float (n - 1)))
            "eye",
            made (fun dtype _ seed ->
                let n = seed % 6
                let dtype = if dtype = DType.Int32 then DType.Float32 else dtype
                Tensor.eye dtype n, dtype, Host.init [| n; n |] (fun i -> truth (i[0] = i[1])))
            "uniform", drawn Tensor.uniform
            "normal", drawn Tensor.normal
            "rademacher", drawn Tensor.rademacher
            "toDevice",
            made (fun dtype shape seed ->
                let t = Tensor.full dtype (List.ofArray shape) (float (seed % 9))
                Tensor.toDevice t.Device t, dtype, filled shape (float (seed % 9)))
        ]

    let private withIndices = DType.Int32 :: Generators.floating
    let private random = set [ "uniform"; "normal"; "rademacher" ]

    /// The functions of the module, with element types and cases.
    let all: (string * DType list * (DType -> Gen<Comparison>)) list =
        [
            for name, cases in moves -> name, withIndices, cases
            for name, cases in making ->
                name, (if random.Contains name then Generators.floating else withIndices), cases
            for name, cases in elementwise @ reductions @ products @ indexing -> name, Generators.floating, cases
        ]
