namespace Curvature.TorchSharp

open System
open Curvature
open Curvature.FSharp
open Curvature.Kernels

/// A scalar function of θ that is computed outside of the library's programs.
[<AbstractClass>]
type internal OuterFunction() =
    /// f(θ) for each row of a block [k; n] → [k].
    abstract Values: thetas: Tensor -> Tensor
    /// ∇f for each row of a block [k; n] → [k; n].
    abstract Gradients: thetas: Tensor -> Tensor
    /// ∇²f(θ)·v for each row v of a block, with θ [n] and [k; n] → [k; n].
    abstract Products: theta: Tensor * block: Tensor -> Tensor

/// Computes on the host, from arrays as tensors, on every device. In contrast to kernels of devices, it allocates.
[<Sealed>]
type internal OuterKernel
    (device: Device, name: string, compute: Tensor list -> Tensor, sources: View list, target: View) =
    inherit Kernel()

    let address (slots: nativeint[]) (view: View) =
        slots[view.Slot] + nativeint (view.Offset * Signature.BytesOf view.DType)

    let read slots (view: View) : Tensor =
        let bytes = Array.zeroCreate<byte>(int view.Signature.Bytes)
        device.Download(address slots view, Span bytes)
        let storage = Storage.Allocate(CpuDevice.Shared, view.Signature)
        storage.Device.Upload(ReadOnlySpan bytes, storage.Address)
        Tensor.OfStorage storage

    override _.Name = name

    override _.Run(slots, _) =
        let result = sources |> List.map (fun view -> read slots view) |> compute
        let storage = result.Storage.Dense target.DType
        let bytes = Array.zeroCreate<byte>(int target.Signature.Bytes)
        storage.Device.Download(storage.Address, Span bytes)
        GC.KeepAlive storage.Memory
        device.Upload(ReadOnlySpan bytes, address slots target)

/// A function of row-major arrays, computed outside.
[<AbstractClass>]
type internal OuterPrimitive(name: string, f: OuterFunction) =
    inherit Primitive(name, f)

    abstract Compute: operands: Tensor list -> Tensor

    override this.Evaluation =
        Compute(fun emitter sources targets ->
            let sources = sources |> Array.map emitter.RowMajor |> List.ofArray

            emitter.IntoRowMajor targets[0] (fun target ->
                let kernel = OuterKernel(emitter.Device, name, this.Compute, sources, target)
                emitter.Emit(kernel, sources, [ target ])))

module internal OuterFunctions =

    /// Rows of vectors, of whatever leading axes.
    let rows (t: Tensor) : Tensor =
        let n = Array.last t.Signature.Shape
        Tensor.reshape [ (if n = 0 then 0 else t.Size / n); n ] t

    let private thirdDerivative name : 'T =
        Fail.differentiation $"{name}: a loss in torch has two derivatives here, and a third was asked for"

    /// ∇²f(θ)·v: linear and symmetric in v [n] or [k; n], for one θ [n].
    [<Sealed>]
    type Product(f: OuterFunction) =
        inherit OuterPrimitive("torch Hessian product", f)

        override _.Infer operands = [| operands[1] |]

        override _.Compute operands =
            let v = operands[1]
            f.Products(operands[0], rows v) |> Tensor.reshape (List.ofArray v.Signature.Shape)

        override this.Jvp(primals, _, tangents) =
            if tangents[0].IsSome then
                thirdDerivative this.Name
            else
                [| tangents[1] |> Tangent.map (fun t -> Tensor.Of(this, primals[0], t)) |]

        override this.Transpose(cotangents, operands) =
            match operands[0] with
            | LinearOperand.Known theta ->
                [| ValueNone; cotangents[0] |> Tangent.map (fun c -> Tensor.Of(this, theta, c)) |]
            | LinearOperand.Unknown _ -> thirdDerivative this.Name

        override this.Batch(size, operands, batched) =
            if batched[0] then
                let theta = operands[0]
                let v i = if batched[1] then Tensor.item 0 i operands[1] else operands[1]

                [| List.init size (fun i -> Tensor.Of(this, Tensor.item 0 i theta, v i)) |> Tensor.stack 0 |]
            else
                Interpreter.Bind(this, operands)

        override this.QuadraticForm(_, _, _, tangents) =
            if tangents[0].IsSome then thirdDerivative this.Name else ValueNone

        interface ITaylorRule with
            member this.Series(primals, _, coefficients) =
                if coefficients[0] |> Array.exists _.IsSome then thirdDerivative this.Name

                [| coefficients[1] |> Array.map (Tangent.map (fun v -> Tensor.Of(this, primals[0], v))) |]

    /// ∇f(θ) for θ [n] or a block of them.
    [<Sealed>]
    type Gradient(f: OuterFunction) =
        inherit OuterPrimitive("torch gradient", f)
        override _.Infer operands = [| operands[0] |]

        override _.Compute operands =
            f.Gradients(rows operands[0]) |> Tensor.reshape (List.ofArray operands[0].Signature.Shape)

        override _.Jvp(primals, _, tangents) =
            [| tangents[0] |> Tangent.map (fun t -> Tensor.Of(Product f, primals[0], t)) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)
        override this.QuadraticForm(_, _, _, _) = thirdDerivative this.Name

        interface ITaylorRule with
            member this.Series(_, _, _) = thirdDerivative this.Name

    /// f(θ) for θ [n], and [k] for a block [k; n].
    [<Sealed>]
    type Value(f: OuterFunction) =
        inherit OuterPrimitive("torch loss", f)

        let dot (a: Tensor) (b: Tensor) : Tensor = (a * b).SumOver [| a.Rank - 1 |]

        override _.Infer operands =
            operands[0].RequireNumbers "torch loss"
            let shape = operands[0].Shape
            [| { operands[0] with Shape = shape[.. shape.Length - 2] } |]

        override _.Compute operands =
            let theta = operands[0]
            f.Values(rows theta) |> Tensor.reshape (List.ofArray theta.Signature.Shape[.. theta.Rank - 2])

        override _.Jvp(primals, _, tangents) =
            [| tangents[0] |> Tangent.map (dot (Tensor.Of(Gradient f, primals[0]))) |]

        override this.Batch(_, operands, _) = Interpreter.Bind(this, operands)

        override _.QuadraticForm(cotangents, primals, _, tangents) =
            match cotangents[0], tangents[0] with
            | ValueSome c, ValueSome t -> ValueSome((c * dot t (Tensor.Of(Product f, primals[0], t))).SumAll())
            | _ -> ValueNone

        /// y₁ = ⟨∇f, θ₁⟩ and y₂ = ⟨∇f, θ₂⟩ + ½⟨θ₁, ∇²f θ₁⟩.
        interface ITaylorRule with
            member this.Series(primals, _, coefficients) =
                let series = coefficients[0]
                if series.Length > 2 then thirdDerivative this.Name
                let theta = primals[0]
                let alongGradient = Tangent.map (dot (Tensor.Of(Gradient f, theta)))
                let curvature = series[0] |> Tangent.map (fun t -> 0.5 * dot t (Tensor.Of(Product f, theta, t)))
                [| [| alongGradient series[0]; Tangent.add (alongGradient series[1]) curvature |] |]

    /// θ ↦ f(θ), as the library differentiates it.
    let toFunction (f: OuterFunction) : Tensor -> Tensor = fun theta -> Tensor.Of(Value f, theta)
