namespace Curvature

open System
open Curvature.Kernels

/// The last two axes of a shape, and the axes before them, along which matrices are stacked.
module internal MatrixShape =

    let rows (shape: int[]) = shape[shape.Length - 2]
    let columns (shape: int[]) = shape[shape.Length - 1]
    let leading (shape: int[]) = shape[.. shape.Length - 3]

    /// "a matrix of shape …", or "matrix 3 of a tensor of shape …".
    let describe (shape: int[]) (index: int) =
        if shape.Length = 2 then
            $"the matrix of shape {Shape.show shape}"
        else
            $"matrix {index} of the tensor of shape {Shape.show shape}"

    /// Raises for what is no Float32 or Float64 matrix.
    let check (name: string) (operand: Signature) =
        operand.RequireNumbers name

        if operand.Shape.Length < 2 then
            Fail.shape $"{name}: a matrix is needed, and the shape is {Shape.show operand.Shape}"

    let checkSquare (name: string) (operand: Signature) =
        check name operand

        if rows operand.Shape <> columns operand.Shape then
            Fail.shape $"{name}: a square matrix is needed, and the shape is {Shape.show operand.Shape}"

/// Computes a function of each matrix of a stack on the host, in Float64. It downloads and uploads, so that it runs on
/// every device. In contrast to kernels of devices, it allocates on the managed heap.
[<Sealed>]
type internal MatrixKernel
    (device: Device, name: string, compute: int -> float[][] -> float[][], sources: View[], targets: View[]) =
    inherit Kernel()

    let count = Shape.size (MatrixShape.leading sources[0].Shape)

    /// The elements of one matrix of each array; those of vectors and scalars likewise.
    let share (view: View) = if count = 0 then 0 else Shape.size view.Shape / count

    let address (slots: nativeint[]) (view: View) =
        slots[view.Slot] + nativeint (view.Offset * Signature.BytesOf view.DType)

    let download slots (view: View) : float[] =
        let size = Shape.size view.Shape

        if view.DType = DType.Float64 then
            let values = Array.zeroCreate<float> size
            device.Download(address slots view, Span values)
            values
        else
            let values = Array.zeroCreate<float32> size
            device.Download(address slots view, Span values)
            Array.map float values

    let upload slots (view: View) (values: float[]) =
        if view.DType = DType.Float64 then
            device.Upload(ReadOnlySpan values, address slots view)
        else
            device.Upload(ReadOnlySpan(Array.map float32 values), address slots view)

    override _.Name = $"{name} of {Shape.show sources[0].Shape}"

    override _.Run(slots, _) =
        let operands = sources |> Array.map (fun view -> download slots view)
        let results = targets |> Array.map (fun view -> Array.zeroCreate<float>(Shape.size view.Shape))

        for i in 0 .. count - 1 do
            let matrices =
                Array.map2 (fun view values -> Array.sub values (i * share view) (share view)) sources operands

            compute i matrices
            |> Array.iteri (fun k values -> Array.blit values 0 results[k] (i * share targets[k]) values.Length)

        Array.iter2 (upload slots) targets results

/// A function of a matrix, which is the last two axes of the first operand; leading axes are stacks, the same for all
/// operands. Derivatives of every order follow from `Jvp`, which is composed of functions of tensors.
[<AbstractClass>]
type internal MatrixPrimitive(name: string, parameters: objnull) =
    inherit Primitive(name, parameters)

    /// The results for finite matrices, given what to call the first one in errors.
    abstract Compute: what: string * shapes: int[][] * matrices: float[][] -> float[][]

    override this.Evaluation =
        Compute(fun emitter sources targets ->
            let sources = sources |> Array.map emitter.RowMajor
            let shapes = sources |> Array.map _.Shape
            let sizes = targets |> Array.map (fun view -> Shape.size view.Shape[shapes[0].Length - 2 ..])

            let compute index (matrices: float[][]) =
                if Array.forall Double.IsFinite matrices[0] then
                    this.Compute(MatrixShape.describe shapes[0] index, shapes, matrices)
                else
                    sizes |> Array.map (fun size -> Array.create size nan)

            let dense =
                targets |> Array.map (fun view -> if view.IsRowMajor then view else emitter.Temporary view.Signature)

            // Nothing is computed where no result has an element.
            if targets |> Array.exists (fun view -> Shape.size view.Shape > 0) then
                let kernel = MatrixKernel(emitter.Device, name, compute, sources, dense)
                emitter.Emit(kernel, List.ofArray sources, List.ofArray dense)

                Array.iter2
                    (fun (written: View) (target: View) ->
                        if not target.IsRowMajor then emitter.CopyTo(written, target))
                    dense
                    targets)

    override this.Batch(size, operands, batched) = Interpreter.Bind(this, Batched.align size operands batched)

    /// The derivative of the first derivative along the same tangents.
    override this.QuadraticForm(cotangents, primals, _, tangents) =
        let moving =
            [|
                for i in 0 .. primals.Length - 1 do
                    if tangents[i].IsSome then i
            |]

        let first (points: Tensor[]) =
            let all = Array.copy primals
            moving |> Array.iteri (fun k i -> all[i] <- points[k])

            this.Jvp(all, Interpreter.Bind(this, all), tangents) |> Array.map (Tangent.orZeros points[0])

        let points = moving |> Array.map (fun i -> primals[i])
        let _, second = Forward.jvp first points (moving |> Array.map (fun i -> tangents[i].Value))

        Array.map2
            (fun (cotangent: Tensor voption) (second: Tensor voption) ->
                match cotangent, second with
                | ValueSome cotangent, ValueSome second -> ValueSome((cotangent * second).SumAll())
                | _ -> ValueNone)
            cotangents
            second
        |> Array.fold Tangent.add ValueNone

    /// The coefficients of the results, from those of the operands.
    abstract Series: primals: Tensor[] * results: Tensor[] * coefficients: Coefficients[] -> Coefficients[]

    default this.Series(primals, results, coefficients) = Jets.byDerivative this primals results coefficients

    interface ITaylorRule with
        member this.Series(primals, results, coefficients) = this.Series(primals, results, coefficients)
