namespace Curvature.FSharp

open Curvature

/// The first derivative of a function with many outputs.
[<RequireQualifiedAccess>]
module Jacobian =

    /// The Jacobian of f at x, of size m×n for m outputs and n inputs, each in row-major order. The transpose is known.
    /// A product costs about one forward pass, one with the transpose one backward pass, both compiled. Vectors on both
    /// sides have the element type of x; where f(x) has another, products are converted.
    /// Raises DTypeException for an Int32 point, NonFiniteException where f(x) is NaN or infinite,
    /// DifferentiationException where f does not depend on x or is not deterministic.
    let at (f: Tensor -> Tensor) (x: Tensor) : LinearOperator =
        let name = "Jacobian"
        Linearization.checkPoint name x
        let value, program = Linearization.derivative name "function" f x

        match Finite.describe value with
        | ValueSome where -> Fail.nonFinite $"{name}: the value is {where}; {Finite.trace f x}"
        | ValueNone -> Determinism.require name f x

        let inputs, outputs = List.ofArray x.Signature.Shape, List.ofArray value.Signature.Shape

        let forward (v: Tensor) =
            (program.Interpret [| Tensor.reshape inputs v |])[0] |> Tensor.flatten |> Tensor.convert x.DType

        let backward (u: Tensor) =
            Tensor.reshape outputs u |> Tensor.convert value.DType |> Linearization.pull x program |> Tensor.flatten

        let memory = new HeldMemory()

        let compiled f =
            let compile f =
                let function', plans = Compile.disposableFunc f
                memory.Hold plans |> ignore
                function'

            { Matvec = compile f; Matmat = compile (vmap f) }

        new LinearOperator(
            { OperatorParts.define name x.DType value.Size x.Size (compiled forward) with
                Device = x.Device
                Adjoint = ValueSome(compiled backward)
            },
            memory
        )
