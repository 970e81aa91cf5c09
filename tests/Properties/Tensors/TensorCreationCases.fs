namespace Curvature.Tests.Properties

open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests.Properties.Comparisons

/// Tensors that are made of numbers, of a shape, or of tensors of another type.
[<RequireQualifiedAccess>]
module TensorCreationCases =

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
            let! target = Gen.elements Generators.everyType
            let! shape = Generators.shape 0 3
            let! t = Generators.between -9.0 9.0 dtype shape

            let rounding =
                match target with
                | DType.Int32 -> truncate
                | DType.Float32 -> float32 >> float
                | _ -> id

            return comparison $"of {t}" 0.0 target (Tensor.convert target t) (Host.map rounding (Host.ofTensor t))
        }

    let private cases =
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

                Tensor.linspace DType.Float64 -1.0 3.0 n,
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

    let private random = set [ "uniform"; "normal"; "rademacher" ]

    /// The functions, with element types and cases.
    let all: (string * DType list * (DType -> Gen<Comparison>)) list =
        [
            for name, cases in cases ->
                name, (if random.Contains name then Generators.floating else Generators.everyType), cases
        ]
