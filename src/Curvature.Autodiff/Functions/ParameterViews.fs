namespace Curvature

open Curvature.FSharp
open Curvature.Kernels

/// A variable of a linear program each of whose elements is a number times one element of the input.
[<NoEquality; NoComparison>]
type internal ParameterView =
    {
        /// 1 + the place of that element in the input, and 0 where there is none. Float64 counts up to 2⁵³.
        Places: Tensor
        /// The number; missing where it is 1 everywhere.
        Coefficient: Tensor voption
    }

/// How views of the input follow from one another: by primitives that move elements, and by products with constants.
module internal ParameterViews =

    let private full (device: Device) (signature: Signature) (value: float) : Tensor =
        Tensor.OfStorage(Storage.Full(device, signature, value))

    /// The coefficient as a tensor.
    let coefficient (program: Program) id (view: ParameterView) : Tensor =
        view.Coefficient |> ValueOption.defaultWith (fun () -> full program.Device program.Variables[id] 1.0)

    /// The input itself.
    let ofInput (device: Device) (input: Signature) : ParameterView =
        let places = Tensor.arange DType.Float64 (Shape.size input.Shape) + 1.0

        {
            Places = places |> Tensor.reshape (List.ofArray input.Shape) |> Tensor.toDevice device
            Coefficient = ValueNone
        }

    /// The number that all coefficients are, where they are one number.
    let scale (view: ParameterView) : float voption =
        match view.Coefficient with
        | ValueNone -> ValueSome 1.0
        | ValueSome coefficient ->
            let values = Tensor.flatten coefficient
            let least = (Tensor.min values).ToScalar()
            if least = (Tensor.max values).ToScalar() then ValueSome least else ValueNone

    let private moves (primitive: Primitive) =
        match primitive with
        | :? Structure.Reshape
        | :? Structure.Permute
        | :? Structure.ReverseAxes
        | :? Structure.Slice
        | :? Structure.Pad
        | :? Structure.Split
        | :? Structure.Concat
        | :? Indexing.Gather
        | :? Broadcast -> true
        | _ -> false

    /// The views that a primitive makes of views by moving their elements. Constants are zeros, because the program is
    /// linear, or indices.
    let private moved (program: Program) (find: int -> ParameterView) (equation: Equation) : ParameterView[] =
        let run (part: int -> Tensor) (dtype: DType) =
            let operand atom =
                match atom with
                | Atom.Variable id -> part id
                | Atom.Constant index when index.DType = DType.Int32 -> index
                | Atom.Constant zeros -> full program.Device { zeros.Signature with DType = dtype } 0.0

            Interpreter.Bind(equation.Primitive, equation.Operands |> Array.map operand)

        let variables =
            equation.Operands
            |> Array.choose (fun atom ->
                match atom with
                | Atom.Variable id -> Some id
                | Atom.Constant _ -> None)

        let places = run (fun id -> (find id).Places) DType.Float64

        if variables |> Array.exists (fun id -> (find id).Coefficient.IsSome) then
            let dtype = program.Variables[variables[0]].DType
            let coefficients = run (fun id -> coefficient program id (find id)) dtype
            Array.map2 (fun places c -> { Places = places; Coefficient = ValueSome c }) places coefficients
        else
            places |> Array.map (fun places -> { Places = places; Coefficient = ValueNone })

    /// The view that an elementwise product with a constant makes of a view.
    let private scaled (program: Program) (find: int -> ParameterView) (equation: Equation) (op: OpCode) =
        let times (f: Tensor -> Tensor) id =
            let view = find id

            ValueSome
                [|
                    { view with Coefficient = ValueSome(f (coefficient program id view)) }
                |]

        match op, equation.Operands with
        | OpCode.Negate, [| Atom.Variable id |] -> times (~-) id
        | OpCode.Multiply, [| Atom.Variable id; Atom.Constant c |]
        | OpCode.Multiply, [| Atom.Constant c; Atom.Variable id |] -> times (fun k -> k * c) id
        | OpCode.Divide, [| Atom.Variable id; Atom.Constant c |] -> times (fun k -> k / c) id
        | OpCode.Select, [| Atom.Constant mask; Atom.Variable id; Atom.Constant _ |] ->
            times (fun k -> Tensor.where mask k (Tensor.zerosLike k)) id
        | OpCode.Select, [| Atom.Constant mask; Atom.Constant _; Atom.Variable id |] ->
            times (fun k -> Tensor.where mask (Tensor.zerosLike k) k) id
        | _ -> ValueNone

    /// The views that an equation makes, where all variables that it takes are views, which a function finds; nothing
    /// for another primitive than those that make views of views.
    let follow (program: Program) (find: int -> ParameterView) (equation: Equation) : ParameterView[] voption =
        match equation.Primitive with
        | :? Structure.Convert ->
            match equation.Operands with
            | [| Atom.Variable id |] ->
                let view = find id
                let dtype = program.Variables[equation.Results[0]].DType

                ValueSome
                    [|
                        { view with
                            Coefficient = view.Coefficient |> ValueOption.map (Tensor.convert dtype)
                        }
                    |]
            | _ -> ValueNone
        | :? Elementwise as elementwise -> scaled program find equation elementwise.Op
        | primitive when moves primitive -> ValueSome(moved program find equation)
        | _ -> ValueNone

    /// The places as whole numbers, in row-major order; −1 where there is none.
    let positions (places: Tensor) : int[] = places.ToArray() |> Array.map (fun place -> int place - 1)
