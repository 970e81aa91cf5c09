namespace Curvature

open Curvature.Kernels

/// For images [N; H; W; C], the sum over each window, [N; H′; W′; C]. The adjoint is, for each element, the sum over
/// the windows that contain it.
[<Sealed>]
type internal WindowSums(height: WindowAxis, width: WindowAxis, adjoint: bool) =
    inherit LinearPrimitive("WindowSums", (height, width, adjoint))

    let sourceLengths =
        if adjoint then
            struct (height.Output, width.Output)
        else
            struct (height.Input, width.Input)

    let targetLengths =
        if adjoint then
            struct (height.Input, width.Input)
        else
            struct (height.Output, width.Output)

    member _.Height = height
    member _.Width = width
    member _.IsAdjoint = adjoint

    override this.Infer operands =
        let shape = operands[0].Shape

        operands[0].RequireNumbers "window sums"

        if shape.Length <> 4 || struct (shape[1], shape[2]) <> sourceLengths then
            Fail.shape $"window sums: images of shape {Shape.show shape} do not fit {this}"

        let struct (rows, columns) = targetLengths

        [| { operands[0] with Shape = [| shape[0]; rows; columns; shape[3] |] } |]

    override _.Evaluation =
        Compute(fun emitter sources targets ->
            let source = emitter.RowMajor sources[0]

            emitter.IntoRowMajor targets[0] (fun target ->
                let sum =
                    WindowSumDescription(
                        source.DType,
                        WindowSizes(source.Shape[0], height, width, source.Shape[3]),
                        adjoint,
                        source.Place,
                        target.Place
                    )

                emitter.Emit(emitter.Device.SumWindows sum, [ source ], [ target ])))

    override _.Adjoint(cotangents, _) =
        cotangents[0] |> Tangent.map (fun c -> Tensor.Of(WindowSums(height, width, not adjoint), c))

    /// A batch of images is more images.
    override this.Batch(size, operands, _) =
        let shape = operands[0].Signature.Shape
        let images = Array.append [| shape[0] * shape[1] |] shape[2..]
        let sums = Tensor.Of(this, Interpreter.Bind(Structure.Reshape images, operands))
        Interpreter.Bind(Structure.Reshape(Array.append [| size; shape[1] |] sums.Signature.Shape[1..]), sums)

/// For images [N; H; W; C], the position of the largest element of each window, Int32 [N; H′; W′; C], counted among all
/// elements of the images. It is the first of equal ones, or the first NaN. Images may have a leading axis; positions
/// are then counted within each of its entries. It has no derivative.
[<Sealed>]
type internal WindowMaxima(height: WindowAxis, width: WindowAxis) =
    inherit Primitive("WindowMaxima", (height, width))
    member _.Height = height
    member _.Width = width

    override this.Infer operands =
        let shape = operands[0].Shape
        let rank = shape.Length

        if operands[0].DType = DType.Int32 then
            Fail.dtype "window maxima: the images must be Float32 or Float64, and are Int32; convert them first"

        if (rank <> 4 && rank <> 5) || shape[rank - 3] <> height.Input || shape[rank - 2] <> width.Input then
            Fail.shape $"window maxima: images of shape {Shape.show shape} do not fit {this}"

        [|
            {
                Shape = Array.concat [ shape[.. rank - 4]; [| height.Output; width.Output; shape[rank - 1] |] ]
                DType = DType.Int32
            }
        |]

    override _.Evaluation =
        Compute(fun emitter sources targets ->
            let source = emitter.RowMajor sources[0]
            let shape = source.Shape
            let stacks = if shape.Length = 5 then shape[0] else 1

            emitter.IntoRowMajor targets[0] (fun target ->
                let maximum =
                    WindowMaximumDescription(
                        source.DType,
                        WindowSizes(stacks * shape[shape.Length - 4], height, width, shape[shape.Length - 1]),
                        source.Place,
                        target.Place,
                        max 1 stacks
                    )

                emitter.Emit(emitter.Device.MaximumOfWindows maximum, [ source ], [ target ])))

    override _.Jvp(_, _, _) = [| ValueNone |]

    override this.Batch(size, operands, _) =
        match operands[0].Signature.Shape with
        | shape when shape.Length = 6 ->
            let stacks = Array.append [| shape[0] * shape[1] |] shape[2..]
            let maxima = Tensor.Of(this, Interpreter.Bind(Structure.Reshape stacks, operands))
            Interpreter.Bind(Structure.Reshape(Array.append [| size; shape[1] |] maxima.Signature.Shape[1..]), maxima)
        | _ -> Interpreter.Bind(this, operands)
