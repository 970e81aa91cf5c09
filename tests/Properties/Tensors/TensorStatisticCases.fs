namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Random uses of functions of elements that are composed of others, of statistics, of sorting, and of triangles.
[<RequireQualifiedAccess>]
module TensorStatisticCases =

    // ---- elements

    let private unary low high (f: Tensor -> Tensor) (scalar: float -> float) dtype =
        gen {
            let! shape = Generators.shape 0 3
            let! t = Generators.between low high dtype shape
            return comparison $"of {t}" 1e-14 dtype (f t) (Host.map scalar (Host.ofTensor t))
        }

    /// Of numbers among which are NaN and infinities.
    let private special (f: Tensor -> Tensor) (scalar: float -> float) =
        let whole (t: Tensor) = Tensor.floor t
        let odd (x: float) = if x = 1.0 then nan else 1.0 / x

        unary
            -2.0
            3.0
            (fun t -> let t = whole t in f (Tensor.where (Tensor.equal t 1.0) nan (1.0 / t)))
            (floor >> odd >> scalar)

    let private atan2 dtype =
        gen {
            let! shapeA, shapeB, joined = Generators.broadcasting
            let! y = Generators.ordinary dtype shapeA
            let! x = Generators.ordinary dtype shapeB
            let hostY, hostX = Host.ofTensor y, Host.ofTensor x
            let angle index = Math.Atan2(Host.atBroadcast hostY index, Host.atBroadcast hostX index)
            return comparison (shown [ y; x ]) 1e-14 dtype (Tensor.atan2 y x) (Host.init joined angle)
        }

    let private elements =
        [
            "tan", unary -1.4 1.4 Tensor.tan tan
            "sinh", unary -4.0 4.0 Tensor.sinh sinh
            "cosh", unary -4.0 4.0 Tensor.cosh cosh
            "asin", unary -1.0 1.0 Tensor.asin asin
            "acos", unary -1.0 1.0 Tensor.acos acos
            "atan", unary -9.0 9.0 Tensor.atan atan
            "atan2", atan2
            "ceil", unary -3.0 3.0 Tensor.ceil ceil
            "round", unary -3.0 3.0 (fun t -> Tensor.round (2.0 * t)) (fun x -> Math.Round(2.0 * x))
            "clip", unary -3.0 3.0 (Tensor.clip -0.5 1.5) (fun x -> Math.Clamp(x, -0.5, 1.5))
            "isNaN", special Tensor.isNaN (Double.IsNaN >> truth)
            "isFinite", special Tensor.isFinite (Double.IsFinite >> truth)
        ]

    // ---- reductions

    /// A number from the elements of each place along the other axes.
    let private reduced (f: float[] -> float) (axes: int[]) (h: Host) =
        let groups = Host.indices h.Shape |> Array.groupBy (Host.without axes) |> dict

        Host.init (Host.without axes h.Shape) (fun place ->
            match groups.TryGetValue place with
            | true, indices -> f (Array.map (Host.at h) indices)
            | _ -> f [||])

    let private overAxes
        (shapes: int -> int -> Gen<int[]>)
        (prepare: Tensor -> Tensor)
        (f: int list -> Tensor -> Tensor)
        (expected: float[] -> float)
        dtype
        =
        gen {
            let! shape = shapes 0 4
            let! axes = Generators.subset shape.Length
            let! fromEnd = Gen.elements [ true; false ]
            let! t = Generators.ordinary dtype shape |> Gen.map prepare
            let asked = axes |> Array.map (fun axis -> if fromEnd then axis - shape.Length else axis) |> List.ofArray
            return comparison $"over {asked} of {t}" 1e-14 dtype (f asked t) (reduced expected axes (Host.ofTensor t))
        }

    let private ofAll
        (shapes: int -> int -> Gen<int[]>)
        (prepare: Tensor -> Tensor)
        (f: Tensor -> Tensor)
        (expected: float[] -> float)
        dtype
        =
        gen {
            let! shape = shapes 0 3
            let! t = Generators.ordinary dtype shape |> Gen.map prepare
            return comparison $"of {t}" 1e-14 dtype (f t) (scalarHost (expected (t.ToArray())))
        }

    let private variance (xs: float[]) =
        let mean = Array.average xs
        xs |> Array.averageBy (fun x -> (x - mean) * (x - mean))

    let private median (xs: float[]) =
        let sorted = Array.sort xs
        (sorted[(xs.Length - 1) / 2] + sorted[xs.Length / 2]) / 2.0

    let private isNonzero x = x <> 0.0

    let private reductions =
        let any, full = Generators.shape, Generators.fullShape
        let whole (t: Tensor) = Tensor.floor t

        [
            "prod", ofAll any id Tensor.prod (Array.fold (*) 1.0)
            "prodAxes", overAxes any id Tensor.prodAxes (Array.fold (*) 1.0)
            "var", ofAll full id Tensor.var variance
            "varAxes", overAxes full id (fun axes -> Tensor.varAxes axes 0) variance
            "std", ofAll full id Tensor.std (variance >> sqrt)
            "stdAxes", overAxes full id (fun axes -> Tensor.stdAxes axes 0) (variance >> sqrt)
            "median", ofAll full id Tensor.median median
            "medianAxes", overAxes full id Tensor.medianAxes median
            "any", ofAll any whole Tensor.any (Array.exists isNonzero >> truth)
            "anyAxes", overAxes any whole Tensor.anyAxes (Array.exists isNonzero >> truth)
            "all", ofAll any whole Tensor.all (Array.forall isNonzero >> truth)
            "allAxes", overAxes any whole Tensor.allAxes (Array.forall isNonzero >> truth)
            "maxAxes", overAxes full whole Tensor.maxAxes Array.max
            "minAxes", overAxes full whole Tensor.minAxes Array.min
        ]

    // ---- order

    /// A function of the last axis of whole numbers, of which many are equal.
    let private ofRows resultType (f: Tensor -> Tensor) (expected: float[] -> float[]) dtype =
        gen {
            let! rows = Generators.shape 0 2
            let! columns = Generators.lengthFrom1
            let! numbers = Generators.ordinary dtype (Array.append rows [| columns |])
            let t = if dtype = DType.Int32 then numbers else Tensor.floor numbers
            let h = Host.ofTensor t
            let row place = Array.init columns (fun column -> Host.at h (Array.append place [| column |]))
            let actual: Tensor = f t

            let expected =
                Host.init actual.Shape (fun index -> (expected (row index[.. rows.Length - 1]))[Array.last index])

            return comparison $"of {t}" 0.0 (resultType dtype) actual expected
        }

    let private along (f: int -> Tensor -> Tensor) (t: Tensor) =
        // The first axis of the transposed is the last one.
        if t.Rank = 2 then Tensor.transpose (f 0 (Tensor.transpose t)) else f -1 t

    let private order (row: float[]) = Array.ofList (List.sortBy (Array.get row) [ 0 .. row.Length - 1 ])
    let private orderFromTop (row: float[]) = order (Array.map (~-) row)
    let private index _ = DType.Int32

    /// Half of each row: its values or its positions.
    let private topK dtype =
        let half (t: Tensor) = Tensor.topK ((t.Shape[t.Rank - 1] + 1) / 2) t
        let valuesFromTop row = orderFromTop row |> Array.map (Array.get row)

        gen {
            let! asksValues = Gen.elements [ true; false ]

            return!
                if asksValues then
                    ofRows id (half >> fst) valuesFromTop dtype
                else
                    ofRows index (half >> snd) (orderFromTop >> Array.map float) dtype
        }

    let private orders =

        [
            "sort", ofRows id (along Tensor.sort) Array.sort
            "argSort", ofRows index (along Tensor.argSort) (order >> Array.map float)
            "topK", topK
        ]

    let private extremes =
        let least (row: float[]) = float (Array.IndexOf(row, Array.min row))

        [
            "min", ofRows id (Tensor.min >> Tensor.unsqueeze -1) (fun row -> [| Array.min row |])
            "argMin", ofRows index (Tensor.argMin >> Tensor.unsqueeze -1) (fun row -> [| least row |])
        ]

    // ---- matrices

    let private ofMatrices (f: int -> Tensor -> Tensor) (expected: int -> Host -> Host) dtype =
        gen {
            let! leading = Generators.shape 0 2
            let! rows = Generators.length
            let! columns = Generators.length
            let! offset = Gen.choose (-3, 3)
            let! t = Generators.ordinary dtype (Array.concat [ leading; [| rows; columns |] ])
            return comparison $"{offset} of {t}" 1e-14 dtype (f offset t) (expected offset (Host.ofTensor t))
        }

    let private diagonal (h: Host) =
        let leading = h.Shape[.. h.Shape.Length - 3]
        let count = min h.Shape[leading.Length] h.Shape[leading.Length + 1]

        Host.init (Array.append leading [| count |]) (fun index ->
            Host.at h (Array.append index [| Array.last index |]))

    let private keep (isKept: int -> int -> bool) (h: Host) =
        let at = h.Shape.Length - 2
        Host.init h.Shape (fun index -> if isKept index[at] index[at + 1] then Host.at h index else 0.0)

    let private diag dtype =
        gen {
            let! shape = Generators.shape 1 3
            let! t = Generators.ordinary dtype shape
            let h, last = Host.ofTensor t, shape.Length - 1

            let entry (index: int[]) = if index[last] = index[last + 1] then Host.at h index[..last] else 0.0

            return
                comparison $"of {t}" 0.0 dtype (Tensor.diag t) (Host.init (Array.append shape [| shape[last] |]) entry)
        }

    let private matrices =
        [
            "diagonal", ofMatrices (fun _ -> Tensor.diagonal) (fun _ -> diagonal)
            "trace",
            ofMatrices (fun _ -> Tensor.trace) (fun _ h -> reduced Array.sum [| h.Shape.Length - 2 |] (diagonal h))
            "tril", ofMatrices Tensor.tril (fun offset -> keep (fun i j -> j <= i + offset))
            "triu", ofMatrices Tensor.triu (fun offset -> keep (fun i j -> j >= i + offset))
        ]

    /// Three matrices along a chain, and what is left of a cycle of them.
    let private einsumOf dtype =
        gen {
            let! lengths = Gen.listOfLength 4 Generators.length
            let i, j, k, l = lengths[0], lengths[1], lengths[2], lengths[3]
            let! a = Generators.ordinary dtype [| i; j |]
            let! b = Generators.ordinary dtype [| k; j |]
            let! c = Generators.ordinary dtype [| k; l |]
            let x, y, z = Host.ofTensor a, Host.ofTensor b, Host.ofTensor c

            let entry (index: int[]) =
                Seq.sum (
                    seq {
                        for p in 0 .. j - 1 do
                            for q in 0 .. k - 1 ->
                                Host.at x [| index[1]; p |] * Host.at y [| q; p |] * Host.at z [| q; index[0] |]
                    }
                )

            let actual = Tensor.einsumOf "ij,kj,kl->li" [ a; b; c ]
            return comparison (shown [ a; b; c ]) 1e-13 dtype actual (Host.init [| l; i |] entry)
        }

    /// The functions, with element types and cases.
    let all: (string * DType list * (DType -> Gen<Comparison>)) list =
        [
            for name, cases in elements @ reductions @ extremes @ matrices @ [ "einsumOf", einsumOf ] ->
                name, Generators.floating, cases
            for name, cases in ("diag", diag) :: orders -> name, Generators.everyType, cases
        ]
