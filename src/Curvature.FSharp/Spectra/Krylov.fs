namespace Curvature.FSharp

open Curvature

/// Krylov spaces of operators.
module internal Krylov =

    /// Raises ArgumentRangeException for a number below 1.
    let checkPositive what (name: string) (count: int) =
        if count < 1 then
            Fail.range $"{what}: {name} must be at least 1, and is {count}"

    /// A basis of at most `capacity` vectors for an operator, outside of locked vectors; see KrylovSpace.
    let outside (locked: Tensor voption) lockedScale capacity (operator: LinearOperator) : KrylovSpace =
        let space =
            {
                OperatorName = operator.Name
                Size = operator.Columns
                DType = operator.DType
                Device = operator.Device
                Rounding = ProductRounding.ofRows operator
            }

        KrylovSpace(space, capacity, locked, lockedScale)

    /// A basis of at most `capacity` vectors, which begins with a vector of any length above 0.
    let from (start: Tensor) capacity (operator: LinearOperator) : KrylovSpace =
        let space = outside ValueNone 0.0 capacity operator
        space.Start start
        space

    /// Advances spaces side by side: one block product for each step. Returns how many products were taken.
    let advance (operator: LinearOperator) name steps (spaces: KrylovSpace[]) (goOn: unit -> bool) =
        let mutable active = spaces |> Array.indexed
        let mutable step, products = 0, 0

        while step < steps && active.Length > 0 && goOn () do
            let named row = name (fst active[row])

            if active.Length = 1 then
                let _, space = active[0]
                space.Accept(operator.Multiply(space.Next.Value, named))
            else
                let block = active |> Array.map (fun (_, space) -> space.Next.Value) |> List.ofArray |> Tensor.stack 0
                let product = operator.Multiply(block, named)
                active |> Array.iteri (fun row (_, space) -> space.Accept(Tensor.item 0 row product))

            products <- products + active.Length
            step <- step + 1
            active <- active |> Array.filter (fun (_, space) -> not space.IsInvariant && space.Size < space.Capacity)

        products
